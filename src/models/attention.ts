import type { ProgramBuilder, Tensor } from '../graph/builder';
import type { ModelConfig } from '../config/schema';
import { linear, residualScale } from './linear';

/**
 * Causal multi-head self-attention of one layer, without biases: x [tokens, d_model] -> [tokens, d_model],
 * tokens = batch * time. Rotary positions over the whole head width where the config says rope.
 */
export function attention(builder: ProgramBuilder, x: Tensor, model: ModelConfig): Tensor {
  const { heads, position, rope_base: ropeBase } = model.attention;
  const headWidth = model.d_model / heads;
  const project = (name: string): Tensor => linear(builder, name, x, { inputs: model.d_model, outputs: model.d_model, role: 'attention' });
  const split = (projected: Tensor): Tensor =>
    builder.transpose(builder.reshape(projected, ['batch', 'time', heads, headWidth]), [0, 2, 1, 3]);
  const rotate = (headed: Tensor): Tensor => (position === 'rope' ? builder.rotary(headed, ropeBase) : headed);

  const query = rotate(split(project('query')));
  const key = rotate(split(project('key')));
  const value = split(project('value'));
  const mixed = builder.attention(query, key, value, true, 1 / Math.sqrt(headWidth));
  const joined = builder.reshape(builder.transpose(mixed, [0, 2, 1, 3]), x.shape);
  return linear(builder, 'output', joined, {
    inputs: model.d_model,
    outputs: model.d_model,
    role: 'attention',
    initialScale: residualScale(model.layers),
  });
}
