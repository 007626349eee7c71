import type { ProgramBuilder, Tensor } from '../graph/builder';
import type { RoutedLayer } from '../graph/program';
import type { ModelConfig } from '../config/schema';
import { bitInput } from './bitLinear';
import { initialisation } from './initialisation';
import { linear, projection } from './linear';
import { rmsNorm } from './norm';

/** Heads of one layer: `heads` query heads and `keyValueHeads` heads of keys and values, each `width` wide. */
interface AttentionShape {
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly width: number;
}

function attentionShape({ d_model: d, attention: { heads, kv_heads, head_width } }: ModelConfig): AttentionShape {
  return { heads, keyValueHeads: kv_heads ?? heads, width: head_width ?? d / heads };
}

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
  readonly attended: Attended;
  /** The sides of this layer that choose experts. */
  readonly routedLayers: readonly RoutedLayer[];
}

/**
 * Multi-head self-attention of one layer, without biases: x [tokens, d_model] -> [tokens, d_model], tokens = batch * time. Causal, but
 * bidirectional for a masked objective. Key-value head j serves the query heads j g .. j g + g - 1, g = heads / kv_heads (2305.13245).
 * RMSNorm of queries and keys where the config says so, then rotary positions over the whole head width.
 */
export function attention(builder: ProgramBuilder, x: Tensor, model: ModelConfig): AttentionOutput {
  const { d_model: d, bitnet } = model;
  const { position, rope_base: ropeBase, qk_norm: qkNorm } = model.attention;
  const { heads, keyValueHeads, width } = attentionShape(model);
  const input = bitInput(builder, x, bitnet);
  const initial = initialisation(model);
  const project = (name: string, count: number): Tensor =>
    projection(builder, name, input, { inputs: d, outputs: count * width, role: 'attention', initialiser: initial.matrix(d), bitnet });
  const normed = (name: string, projected: Tensor, count: number): Tensor => {
    const full = qkNorm === 'full' ? rmsNorm(builder, name, projected, count * width) : projected;
    const headed = builder.reshape(full, ['batch', 'time', count, width]);
    return qkNorm === 'head' ? rmsNorm(builder, name, headed, width) : headed;
  };
  /** [batch, time, heads, width] -> [batch, heads, time, width] and back. */
  const swap = (headed: Tensor): Tensor => builder.transpose(headed, [0, 2, 1, 3]);
  const rotate = (headed: Tensor): Tensor => (position === 'rope' ? builder.rotary(headed, ropeBase) : headed);
  const repeat = (headed: Tensor): Tensor => (keyValueHeads === heads ? headed : repeatHeads(builder, headed, heads / keyValueHeads));

  const query = rotate(swap(normed('query_norm', project('query', heads), heads)));
  const key = rotate(swap(normed('key_norm', project('key', keyValueHeads), keyValueHeads)));
  const value = swap(builder.reshape(project('value', keyValueHeads), ['batch', 'time', keyValueHeads, width]));
  const attended = { query, key: repeat(key), causal: model.objective === 'causal', scale: 1 / Math.sqrt(width) };
  const mixed = builder.attention(query, attended.key, repeat(value), attended.causal, attended.scale);
  const joined = builder.reshape(swap(mixed), [x.shape[0] ?? 1, heads * width]);
  const output = linear(builder, 'output', joined, {
    inputs: heads * width,
    outputs: d,
    role: 'attention',
    initialiser: initial.residual(heads * width),
    bitnet,
  });
  return { output, attended, routedLayers: [] };
}

/** x [batch, heads, time, width] with every head `times` times in a row. */
function repeatHeads(builder: ProgramBuilder, x: Tensor, times: number): Tensor {
  const [batch = 1, heads, time = 1, width = 1] = x.shape;
  if (typeof heads !== 'number') throw new RangeError('The number of heads is not a number.');
  const apart = builder.reshape(x, [batch, heads, 1, time, width]);
  return builder.reshape(builder.expand(apart, [batch, heads, times, time, width]), [batch, heads * times, time, width]);
}
