import { describe, expect, it } from 'vitest';
import { comparedResiduals } from '../../src/parity/comparedPart';
import type { ComparedResiduals } from '../../src/parity/comparedPart';
import { experimentSchema, type ExperimentInput } from '../../src/config/schema';
import { countModel, type ModelCount } from '../../src/models/count';
import { buildLanguageModel } from '../../src/models/languageModel';

type ModelInput = ExperimentInput['model'];

const base: ModelInput = { vocabulary: 256, d_model: 96, layers: 4, context: 32, attention: { heads: 4 }, ffn: { width: 256 } };
const smoe: ModelInput['moe'] = { kind: 'smoe', experts: 8, top_k: 1, expert_width: 256 };

function count(model: ModelInput): ModelCount {
  const experiment = experimentSchema.parse({ model });
  return countModel(buildLanguageModel(experiment), experiment.model);
}

function compare(ours: ModelInput, theirs: ModelInput): ComparedResiduals {
  return comparedResiduals(count(ours), count(theirs));
}

describe('the part that differs', () => {
  it('is the routed layers where only they differ, and all that either model routes', () => {
    // Layers 1 and 3 of both; layer 0 and 2 are the same dense network.
    const { scope, parameters, parametersWithRouter, macs, macsWithRouter } = compare(
      { ...base, moe: { ...smoe, experts: 16 } },
      { ...base, moe: smoe },
    );
    expect({ scope, parameters, macs }).toEqual({ scope: 'layers', parameters: 1, macs: 0 });
    const expert = 3 * 96 * 256;
    expect(parametersWithRouter).toBeCloseTo((16 * expert + 16 * 96) / (8 * expert + 8 * 96) - 1, 12);
    expect(macsWithRouter).toBeCloseTo((8 * 96) / (expert + 8 * 96), 12);
  });

  it('sums routed layers over the model where they stand in other places', () => {
    // Layers 0 and 1 of ours, 1 and 3 of theirs: three layers are compared, of which each model has one dense.
    const ours = { ...base, moe: { ...smoe, layers: [0, 1] } };
    expect(compare(ours, { ...base, moe: smoe })).toEqual({
      scope: 'layers',
      parameters: 0,
      parametersWithRouter: 0,
      macs: 0,
      macsWithRouter: 0,
    });
    // One more routed layer in place of a dense one of the same width.
    const more = compare({ ...base, moe: { ...smoe, layers: [0, 1, 3] } }, { ...base, moe: smoe });
    expect(more.parameters).toBeCloseTo((3 * 8) / (2 * 8 + 1) - 1, 12);
    expect(more.macs).toBe(0);
  });

  it('is a dense layer that differs by its width', () => {
    expect(compare({ ...base, ffn: { width: 512 } }, base)).toEqual({
      scope: 'layers',
      parameters: 1,
      parametersWithRouter: 1,
      macs: 1,
      macsWithRouter: 1,
    });
  });

  it('is attention where only that differs, its selections apart (2312.07987)', () => {
    const heads = { heads: 2, head_width: 24 };
    const { scope, parameters, parametersWithRouter, macs, macsWithRouter } = compare(
      { ...base, attention: { ...heads, moe: { experts: 4, top_k: 2 } } },
      { ...base, attention: heads },
    );
    expect(scope).toBe('attention');
    // Query and key are dense, value and output have four experts of which two are used.
    expect(parameters).toBeCloseTo((2 + 2 * 4) / 4 - 1, 12);
    const [projection, core] = [96 * 48, 2 * 32 * 48];
    expect(macs).toBeCloseTo(((2 + 2 * 2) * projection + core) / (4 * projection + core) - 1, 12);
    // Two sides, each with a score for every expert and head.
    const selections = 2 * 2 * 4 * 96;
    expect(parametersWithRouter).toBeCloseTo(((2 + 2 * 4) * projection + selections) / (4 * projection) - 1, 12);
    expect(macsWithRouter).toBeCloseTo(((2 + 2 * 2) * projection + core + selections) / (4 * projection + core) - 1, 12);
  });

  it('is attention alone also where both models have the same routed layers', () => {
    const { scope, macs } = compare({ ...base, moe: smoe, attention: { heads: 4, kv_heads: 2 } }, { ...base, moe: smoe });
    expect(scope).toBe('attention');
    expect(macs).toBeLessThan(0);
  });

  it.each<[string, ModelInput]>([
    ['attention and feed-forward networks', { ...base, attention: { heads: 4, kv_heads: 2 }, ffn: { width: 512 } }],
    ['the width', { ...base, d_model: 192 }],
    ['the number of layers', { ...base, layers: 6 }],
    ['the vocabulary', { ...base, vocabulary: 512 }],
    ['the context, of which attention depends, and a width', { ...base, context: 64, ffn: { width: 512 } }],
    ['nothing, of dense models', base],
  ])('is everything where they differ in %s', (_, ours) => {
    const [mine, theirs] = [count(ours), count(base)];
    const { scope, parameters, macs } = comparedResiduals(mine, theirs);
    expect(scope).toBe('model');
    expect(parameters).toBe(mine.parameters.total / theirs.parameters.total - 1);
    expect(macs).toBe(mine.macsPerToken.total / theirs.macsPerToken.total - 1);
  });

  it('is exact for the papers own sizes: 768 x 40 and 512 x 96 against 2048 x 8 (2411.16205 section 3)', () => {
    const sizes: ModelInput = { vocabulary: 32000, d_model: 768, layers: 2, context: 8, attention: { heads: 12 }, ffn: { width: 2048 } };
    const baseline: ModelInput = { ...sizes, moe: { kind: 'smoe', experts: 8, top_k: 1, expert_width: 2048 } };
    const two = compare({ ...sizes, moe: { kind: 'mh-moe', heads: 2, experts: 40, top_k: 2, expert_width: 768 } }, baseline);
    const three = compare({ ...sizes, moe: { kind: 'mh-moe', heads: 3, experts: 96, top_k: 3, expert_width: 512 } }, baseline);
    const percent = ({ parameters, parametersWithRouter, macs, macsWithRouter }: ComparedResiduals) =>
      [parameters, parametersWithRouter, macs, macsWithRouter].map((fraction) => (100 * fraction).toFixed(2));
    expect(percent(two)).toEqual(['-3.13', '-3.10', '0.00', '0.52']);
    expect(percent(three)).toEqual(['3.13', '3.17', '0.00', '1.43']);
  });
});
