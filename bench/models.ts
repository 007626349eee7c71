import { experimentSchema } from '../src/config/schema';
import type { Batch } from '../src/engine/engine';
import type { Program } from '../src/graph/program';
import { RandomStream } from '../src/graph/random';
import { buildLanguageModel } from '../src/models/languageModel';

export type Size = 's' | 'm';

export interface BenchmarkModel {
  readonly name: string;
  readonly size: Size;
  readonly program: Program;
  readonly batch: number;
  readonly time: number;
}

const sizes: Readonly<Record<Size, { readonly width: number; readonly layers: number; readonly batch: number; readonly time: number }>> = {
  s: { width: 128, layers: 2, batch: 8, time: 128 },
  m: { width: 256, layers: 4, batch: 8, time: 256 },
};

/** Dense, SMoE and MH-MoE of equal nominal compute; every feed-forward layer of the MoE models is routed. */
export function benchmarkModels(size: Size): BenchmarkModel[] {
  const { width, layers, batch, time } = sizes[size];
  const hidden = 2 * width;
  // 2411.16205: equal MACs for two projections and k' = 2, rounded to a multiple of 8.
  const subTokenHidden = Math.round((hidden - (2 * width) / 3) / 2 / 8) * 8;
  const kinds = {
    dense: undefined,
    smoe: { kind: 'smoe', every: 1, experts: 8, top_k: 1, expert_width: hidden },
    'mh-moe': { kind: 'mh-moe', every: 1, heads: 2, experts: 40, top_k: 2, expert_width: subTokenHidden },
  };
  return Object.entries(kinds).map(([name, moe]) => {
    const experiment = experimentSchema.parse({
      model: {
        d_model: width,
        layers,
        context: time,
        attention: { heads: width / 32 },
        ffn: { width: hidden },
        ...(moe === undefined ? {} : { moe }),
      },
    });
    return { name, size, batch, time, program: buildLanguageModel(experiment) };
  });
}

/** Random bytes: routing of an untrained model on them is about as uneven as on text. */
export function randomBatch({ batch, time }: BenchmarkModel, seed: number): Batch {
  const stream = new RandomStream(seed, 'benchmark');
  const draw = (offset: number) =>
    Int32Array.from({ length: batch * time }, (_, index) => Math.floor(stream.uniform(offset + index) * 256));
  return { batch, time, tokens: draw(0), targets: draw(batch * time) };
}
