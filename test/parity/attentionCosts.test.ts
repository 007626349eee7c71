import { describe, expect, it } from 'vitest';
import type { ExperimentInput } from '../../src/config/schema';
import { experimentSchema } from '../../src/config/schema';
import { countModel } from '../../src/models/count';
import { buildLanguageModel } from '../../src/models/languageModel';
import type { AttentionCosts } from '../../src/parity/attentionCosts';
import { attentionCosts } from '../../src/parity/attentionCosts';

type Attention = ExperimentInput['model']['attention'];

function costs(attention: Attention): AttentionCosts {
  const experiment = experimentSchema.parse({
    model: { d_model: 24, layers: 3, context: 8, attention, ffn: { width: 16 } },
  } satisfies ExperimentInput);
  return attentionCosts(countModel(buildLanguageModel(experiment), experiment.model), experiment.model);
}

describe('the attention of one layer over one window', () => {
  const [d, time, heads, width] = [24, 8, 2, 10];
  const square = heads * width * d * time;
  const core = 2 * heads * time ** 2 * width;

  it('without a cache costs what the equations say', () => {
    const { graph, paperEquation, authorsScript } = costs({ heads, head_width: width, position: 'none' });
    expect(graph).toEqual({ macs: 4 * square + core, projections: 4 * square, experts: 0, selections: 0, core, positions: 0 });
    expect([paperEquation?.macs, authorsScript?.macs]).toEqual([graph.macs, graph.macs]);
  });

  it('with a cache projects it again, and has scores by position', () => {
    const { graph, paperEquation } = costs({ heads, head_width: width, position: 'xl' });
    expect(graph).toEqual({
      macs: 8 * square + 3 * core,
      projections: 6 * square,
      experts: 0,
      selections: 0,
      core: 2 * core,
      positions: 2 * square + core,
    });
    expect(paperEquation?.macs).toBe(4 * square + 2 * core + 4 * square);
  });

  it('with experts multiplies by k of them, and scores all', () => {
    const moe = { experts: 5, top_k: 3 };
    const { graph, paperEquation, authorsScript } = costs({ heads, head_width: width, moe, rope_share: 0.5 });
    const scores = 2 * heads * 5 * d * time;
    expect(graph).toEqual({
      macs: 2 * square + 2 * 3 * square + scores + core,
      projections: 2 * square,
      experts: 2 * 3 * square,
      selections: scores,
      core,
      positions: 0,
    });
    const weighting = 2 * 3 * heads * width * time;
    expect(paperEquation).toMatchObject({ macs: graph.macs - scores + weighting, selections: scores });
    expect(authorsScript?.macs).toBe(graph.macs - scores + weighting + scores / heads);
  });

  it('is not in the equations where heads share keys and values', () => {
    const { graph, paperEquation, authorsScript } = costs({ heads: 4, head_width: 6, kv_heads: 2 });
    expect(graph.projections).toBe(2 * 4 * 6 * d * time + 2 * 2 * 6 * d * time);
    expect([paperEquation, authorsScript]).toEqual([null, null]);
  });
});
