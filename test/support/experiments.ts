import type { Experiment } from '../../src/config/schema';
import { experimentSchema } from '../../src/config/schema';

/** A tiny experiment, with parts of `model` replaced. */
export function tinyExperiment(model: Record<string, unknown> = {}, train: Record<string, unknown> = {}): Experiment {
  return experimentSchema.parse({
    model: {
      vocabulary: 11,
      d_model: 12,
      layers: 2,
      context: 6,
      attention: { heads: 2 },
      ffn: { width: 10, activation: 'swiglu' },
      ...model,
    },
    train: { steps: 10, batch_tokens: 24, micro_batch: 2, warmup: 2, ...train },
  });
}

/** Every kind of layer that a config can choose so far. */
export const layerKinds: readonly { readonly name: string; readonly model: Record<string, unknown> }[] = [
  { name: 'dense swiglu', model: {} },
  { name: 'dense relu, no positions', model: { ffn: { width: 10, activation: 'relu' }, attention: { heads: 3, position: 'none' } } },
  { name: 'dense gelu', model: { ffn: { width: 10, activation: 'gelu' } } },
  { name: 'smoe top-1', model: { moe: { kind: 'smoe', experts: 4, top_k: 1, expert_width: 10 } } },
  {
    name: 'fine-grained top-2, renormalised',
    model: { moe: { kind: 'smoe', every: 1, experts: 6, top_k: 2, expert_width: 5, renormalize: true } },
  },
  { name: 'smoe relu', model: { ffn: { width: 10, activation: 'relu' }, moe: { kind: 'smoe', experts: 4, top_k: 2, expert_width: 8 } } },
  { name: 'smoe + shared expert', model: { moe: { kind: 'smoe', experts: 4, top_k: 1, expert_width: 10, shared_width: 8 } } },
  { name: 'mh-moe h=2', model: { moe: { kind: 'mh-moe', heads: 2, experts: 8, top_k: 2, expert_width: 7 } } },
  {
    name: 'mh-moe h=3 + shared expert',
    model: { moe: { kind: 'mh-moe', heads: 3, experts: 9, top_k: 3, expert_width: 5, shared_width: 8 } },
  },
  {
    name: 'mh-moe without head layer',
    model: { moe: { kind: 'mh-moe', heads: 2, experts: 5, top_k: 2, expert_width: 7, head_layer: false } },
  },
  {
    name: 'mh-moe without merge layer',
    model: { moe: { kind: 'mh-moe', heads: 2, experts: 5, top_k: 2, expert_width: 7, merge_layer: false } },
  },
  { name: 'mh-moe h=1 with head and merge', model: { moe: { kind: 'mh-moe', heads: 1, experts: 5, top_k: 2, expert_width: 7 } } },
  { name: 'all experts chosen, no balance', model: { moe: { kind: 'smoe', experts: 3, top_k: 3, expert_width: 7, balance_weight: 0 } } },
];
