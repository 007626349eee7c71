import type { ProgramBuilder, Tensor } from '../graph/builder';
import type { RoutedLayer } from '../graph/program';
import { headWidth } from '../config/attentionShape';
import type { ModelConfig } from '../config/schema';
import type { AttentionProjections } from './attentionProjections';
import { attentionProjections } from './attentionProjections';
import { joinChunks, splitChunks } from './chunks';
import { repeatHeads, rotateHeads, splitHeads, swapHeads } from './heads';
import type { Memory } from './relativePositions';
import { relativePositions } from './relativePositions';

/** What says how much each token attends to each: softmax(scale query key^T), causal or not. */
export interface Attended {
  /** [batch, heads, time, width], after norms and positions. */
  readonly query: Tensor;
  /** As many: grouped keys once for each of their query heads. */
  readonly key: Tensor;
  readonly causal: boolean;
  readonly scale: number;
}

export interface AttentionOutput {
  /** [tokens, d_model]. */
  readonly output: Tensor;
  /** Within the window, whether there is a memory or not. */
  readonly attended: Attended;
  /** The sides of this layer that choose experts. */
  readonly routedLayers: readonly RoutedLayer[];
}

/** What the heads give, [batch, heads, time, width]. */
interface Mixed {
  readonly mixed: Tensor;
  readonly attended: Attended;
}

/**
 * Multi-head self-attention of one layer, without biases: x [tokens, d_model] -> [tokens, d_model], tokens = batch * time. Causal, but
 * bidirectional for a masked objective. Key-value head j serves the query heads j g .. j g + g - 1, g = heads / kv_heads (2305.13245).
 * RMSNorm of queries and keys where the config says so, then rotary positions; with a `memory` relative ones, and tokens see those of the
 * cached chunk too. Each projection is dense or has experts (SwitchHead).
 */
export function attention(builder: ProgramBuilder, x: Tensor, model: ModelConfig, memory?: Memory): AttentionOutput {
  const source = memory === undefined ? x : joinChunks(builder, { memory: memory.states, present: x });
  const projections = attentionProjections(builder, { present: x, source }, model);
  const { mixed, attended } = memory === undefined ? windowed(builder, projections, model) : chunked(builder, projections, model, memory);
  const joined = builder.reshape(swapHeads(builder, mixed), [x.shape[0] ?? 1, model.attention.heads * headWidth(model)]);
  return { output: projections.output(joined), attended, routedLayers: projections.routedLayers };
}

/** Every window by itself. */
function windowed(builder: ProgramBuilder, projections: AttentionProjections, model: ModelConfig): Mixed {
  const { heads, kv_heads: keyValueHeads = heads } = model.attention;
  const headed = (rows: Tensor, count: number): Tensor => splitHeads(builder, rows, count, model);
  const query = rotateHeads(builder, headed(projections.query(), heads), model);
  const key = rotateHeads(builder, headed(projections.key(), keyValueHeads), model);
  const value = headed(projections.value(), keyValueHeads);
  const every = (x: Tensor): Tensor => repeatHeads(builder, x, heads / keyValueHeads);
  const attended = { query, key: every(key), causal: model.objective === 'causal', scale: scaleOf(model) };
  return { mixed: builder.attention(query, attended.key, every(value), attended.causal, attended.scale), attended };
}

/** Every window after the chunk before it, causally (Transformer-XL, 1901.02860, without its u and v). */
function chunked(builder: ProgramBuilder, projections: AttentionProjections, model: ModelConfig, { seen }: Memory): Mixed {
  const { heads, kv_heads: keyValueHeads = heads } = model.attention;
  const byHead = (rows: Tensor): Tensor => repeatHeads(builder, splitHeads(builder, rows, keyValueHeads, model), heads / keyValueHeads);
  const query = splitHeads(builder, projections.query(), heads, model);
  const [keys, values] = [splitChunks(builder, projections.key()), splitChunks(builder, projections.value())];
  const operands = {
    q: query,
    k: byHead(keys.present),
    v: byHead(values.present),
    memoryKeys: byHead(keys.memory),
    memoryValues: byHead(values.memory),
    positions: relativePositions(builder, model),
    seen,
  };
  const scale = scaleOf(model);
  return { mixed: builder.relativeAttention(operands, scale), attended: { query, key: operands.k, causal: true, scale } };
}

function scaleOf(model: ModelConfig): number {
  return 1 / Math.sqrt(headWidth(model));
}
