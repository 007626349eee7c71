import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/loadConfig';
import { twinChoices, type TwinChoice } from '../../src/language/twinChoices';

const model = `model:
  d_model: 768
  layers: 4
  context: 64
  attention: { heads: 12 }
  ffn: { width: 2048 }
`;

function choicesOf(text: string): readonly TwinChoice[] {
  const configFile = '/lab/a.moe.yaml';
  const readText = (file: string): string | undefined => (file === configFile ? text : undefined);
  const { experiment } = loadConfig(configFile, readText);
  if (experiment === undefined) throw new Error('It has no errors.');
  return twinChoices({ configFile, experiment, folder: '/lab', readText });
}

describe('the twins that are offered', () => {
  it('of an SMoE are those of all other families, with what they cost', () => {
    const choices = choicesOf(`${model}  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: 2048 }\n`);
    expect(choices.map(({ label }) => label)).toEqual([
      'Fine-grained SMoE: 16 experts of width 1024',
      'MH-MoE, 2 heads: 41 experts of width 768',
      'MH-MoE, 3 heads: 93 experts of width 512',
      'MH-MoE, 4 heads: 165 experts of width 384',
    ]);
    expect(choices[1]?.detail).toBe('0.00 % MACs (+0.54 % with routers), −0.78 % parameters');
    expect(choices.map(({ twin }) => twin.suffix)).toEqual(['fine-grained', 'mh2', 'mh3', 'mh4']);
  });

  it('of an MH-MoE leave out its own number of heads', () => {
    const choices = choicesOf(`${model}  moe: { kind: mh-moe, heads: 2, experts: 40, top_k: 2, expert_width: 768 }\n`);
    expect(choices.map(({ label }) => label.split(':')[0])).toEqual(['SMoE', 'Fine-grained SMoE', 'MH-MoE, 3 heads', 'MH-MoE, 4 heads']);
  });

  it('leave out what cannot be, and say why where nothing can', () => {
    const narrow = `${model}  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: 64 }\n`;
    expect(choicesOf(narrow).map(({ label }) => label)).toEqual(['Fine-grained SMoE: 16 experts of width 32']);
    const varying = `${model}  moe: { kind: smoe, experts: 8, top_k: 2, expert_width: 512, router: { select: dynamic } }\n`;
    expect(() => choicesOf(varying)).toThrow(/different numbers of experts/);
  });
});
