import { describe, expect, it } from 'vitest';
import { experimentSchema } from '../../../src/config/schema';
import { choiceTitle, remedyOfChoice, sizesText } from '../../../src/parity/solver/choiceText';
import type { Choice } from '../../../src/parity/solver/solve';

const choice: Choice = {
  changes: { 'model.moe.expert_width': 768, 'model.moe.experts': 41 },
  scope: 'layers',
  macs: 0,
  macsWithRouter: 0.00536,
  parameters: -1 / 128,
  parametersWithRouter: -1 / 128,
  model: { parameters: -0.006, macs: 0, macsWithRouter: 0.001 },
};

describe('the text of a choice', () => {
  it('names sizes by the end of their keys, as long as tells them apart', () => {
    expect(sizesText(choice.changes)).toBe('expert_width 768, experts 41');
    expect(sizesText({ 'model.attention.moe.experts': 4, 'model.attention.head_width': 64, 'model.moe.experts': 16 })).toBe(
      'attention.moe.experts 4, head_width 64, model.moe.experts 16',
    );
    expect(sizesText({})).toBe('As it is');
  });

  it('says both residuals, with the router where that differs', () => {
    expect(choiceTitle(choice)).toBe('expert_width 768, experts 41: MACs 0.00 % (+0.54 % with router), parameters −0.78 %');
  });

  it('as a remedy sets each key that says something else', () => {
    const [width, experts] = [
      { kind: 'set', path: ['model', 'moe', 'expert_width'], value: 768 },
      { kind: 'set', path: ['model', 'moe', 'experts'], value: 41 },
    ];
    const subject = (expertWidth: number, number: number) =>
      experimentSchema.parse({
        model: {
          d_model: 768,
          layers: 2,
          context: 32,
          attention: { heads: 12 },
          ffn: { width: 2048 },
          moe: { kind: 'mh-moe', heads: 2, top_k: 2, expert_width: expertWidth, experts: number },
        },
      });
    expect(remedyOfChoice(choice, subject(700, 40)).changes).toEqual([width, experts]);
    expect(remedyOfChoice(choice, subject(768, 40)).changes).toEqual([experts]);
  });
});
