/**
 * What attention costs as 2312.07987 counts it, in two ways that differ: the equations of its appendix A.2, and the script behind its
 * tables (RobertCsordas/moe_attention at 7169ad3, paper/common.py). Both are of the attention of one layer over one sequence: MACs, and
 * floats that are kept in memory. What the graph of a model here costs is a third count, `ModelCount`.
 */

/** Attention of one layer over a sequence of `time` tokens. */
export interface AttentionSize {
  readonly heads: number;
  readonly headWidth: number;
  /** d_model. */
  readonly width: number;
  readonly time: number;
  /** C, the chunks that are attended to: 2 with a cached one, else 1. */
  readonly chunks: 1 | 2;
  /** Whether positions are relative, and so projected. */
  readonly relative: boolean;
}

/** Experts of SwitchHead. */
export interface ExpertsOfHead {
  /** Of each head. */
  readonly experts: number;
  readonly k: number;
  /** How many of the four projections have experts. */
  readonly projections: number;
  /** How many selections there are: one for each side that has experts. */
  readonly sides: number;
}

export interface PaperCost {
  /** As printed: without the selection of experts. */
  readonly macs: number;
  /** What the equations leave out: the scores of n E experts on each side, for every token that is attended to. */
  readonly selections: number;
  /** Floats. */
  readonly memory: number;
}

export interface ScriptCost {
  readonly macs: number;
  /** Floats. */
  readonly memory: number;
}

/**
 * Equations 11 to 13, T tokens, n heads of width h, model width d, k of E experts in p projections (the paper: p = 2):
 *
 *     MACs    n ( (4 - p) T h d + p T k h (d + 1) + 2 C T^2 h + 2 C T h d )      memory  n ( 4 T h + 2 C T^2 + 2 C T h )
 *
 * the last terms only with relative positions; dense attention is p = 0.
 */
export function paperEquation(size: AttentionSize, moe?: ExpertsOfHead): PaperCost {
  const { heads: n, headWidth: h, width: d, time, chunks, relative } = size;
  const positions = relative ? 2 * chunks * time * h : 0;
  const scores = 2 * chunks * time ** 2;
  const p = moe?.projections ?? 0;
  const projections = (4 - p) * time * h * d + p * time * (moe?.k ?? 0) * h * (d + 1);
  return {
    macs: n * (projections + scores * h + positions * d),
    selections: moe === undefined ? 0 : moe.sides * chunks * n * moe.experts * d * time,
    memory: n * (4 * time * h + scores + positions),
  };
}

/**
 * The script. Dense attention it counts as the equations do. For SwitchHead it counts positions for 2 T distances and not for 2 C T, and
 * adds the scores of E experts on each side for every token that is attended to, as though all heads shared them.
 */
export function authorsScript(size: AttentionSize, moe?: ExpertsOfHead): ScriptCost {
  if (moe === undefined) {
    const { macs, memory } = paperEquation(size);
    return { macs, memory };
  }
  const { heads: n, headWidth: h, width: d, time, chunks, relative } = size;
  const { macs, memory } = paperEquation({ ...size, relative: false }, moe);
  const scores = moe.sides * moe.experts * time * chunks;
  const positions = relative ? 2 * n * time * h : 0;
  return { macs: macs + scores * d + positions * d, memory: memory + scores + positions };
}

/** Equation 14, MoA (2210.05144): n of E experts are heads, whose keys, values and positions are shared. */
export function moaEquation({ heads: n, headWidth: h, width: d, time, chunks, relative }: AttentionSize): number {
  return (2 * n + 2) * time * h * d + 2 * n * chunks * time ** 2 * h + (relative ? 2 * chunks * time * h * d : 0);
}

/** The script's MoA: beside equation 14, the weighting of k outputs per head and the scores of E experts. */
export function moaScript(size: AttentionSize, { experts, k }: Pick<ExpertsOfHead, 'experts' | 'k'>): ScriptCost {
  const { heads: n, headWidth: h, width: d, time, chunks } = size;
  return {
    macs: moaEquation({ ...size, relative: true }) + n * k * time * h + experts * d * time,
    memory: 2 * n * chunks * time ** 2 + (2 * n + 2) * h * time + 2 * time * h + experts * time * chunks,
  };
}
