import type { ProgramBuilder, Tensor } from '../graph/builder';
import { product } from '../graph/dimensions';
import type { RoutedLayer } from '../graph/program';
import { unitsPerToken } from '../config/moeShape';
import type { MoeConfig, ModelConfig } from '../config/schema';
import { expertShape } from './ablation';
import type { BalanceScope } from './balance';
import { expertPool } from './expertPool';
import { feedForward } from './feedForward';
import { linear, residualScale } from './linear';
import { router } from './router';

/** A routed layer's output and its part of the loss: unweighted, null where the config has none. */
export interface RoutedOutput {
  readonly output: Tensor;
  readonly balance: Tensor | null;
  readonly zLoss: Tensor | null;
  readonly dropRate: Tensor | null;
  readonly layer: RoutedLayer;
}

/**
 * A routed feed-forward layer, x [tokens, d_model] -> [tokens, d_model].
 * smoe routes tokens. mh-moe (2411.16205 Eq. 2-4) projects by the head layer, splits each token into `heads` contiguous slices,
 * routes those sub-tokens through one router and one expert pool of width d_model / heads, adds each sub-token to what its experts give
 * (`inner_residual`, 2404.15045 Eq. 6), joins them in order and projects by the merge layer. A shared expert sees the whole token and is added
 * after the merge, ungated. `scope` is global where the config says so and a step has more than one microbatch.
 */
export function mixtureOfExperts(
  builder: ProgramBuilder,
  x: Tensor,
  model: ModelConfig,
  config: MoeConfig,
  { scope }: { readonly scope: BalanceScope },
): RoutedOutput {
  const multiHead = config.kind === 'mh-moe';
  const heads = unitsPerToken(config);
  const unitWidth = model.d_model / heads;
  const units = product([...x.shape.slice(0, 1), heads]);
  const { experts, width } = expertShape(model, config);
  const k = config.top_k;
  const square = {
    inputs: model.d_model,
    outputs: model.d_model,
    bias: config.projection_bias,
    bitnet: model.bitnet?.quantize_head_merge === true ? model.bitnet : undefined,
  };

  const projected =
    multiHead && config.head_layer ? builder.inScope('head', () => linear(builder, 'weight', x, { ...square, role: 'head' })) : x;
  const subTokens = heads === 1 ? projected : builder.reshape(projected, [units, unitWidth]);
  const decision = router(builder, subTokens, { config: config.router, width: unitWidth, experts, k }, scope);
  const mergesAfter = multiHead && config.merge_layer;
  const routed = builder.inScope('experts', () =>
    expertPool(builder, subTokens, decision.dispatch, {
      experts,
      inputs: unitWidth,
      width,
      activation: model.ffn.activation,
      bitnet: model.bitnet,
      activeFraction: Math.min(1, (heads * k) / experts),
      outputScale: mergesAfter ? 1 : residualScale(model.layers),
    }),
  );
  const answered = multiHead && config.inner_residual ? builder.add(routed, subTokens) : routed;
  const joined = heads === 1 ? answered : builder.reshape(answered, x.shape);
  const merged = mergesAfter
    ? builder.inScope('merge', () =>
        linear(builder, 'weight', joined, { ...square, role: 'merge', initialScale: residualScale(model.layers) }),
      )
    : joined;
  const output = config.shared_width === 0 ? merged : builder.add(merged, sharedExpert(builder, x, model, config.shared_width));
  const { balance, zLoss, dropRate, counts, dropped } = decision;
  const layer = { name: builder.scope, experts, k, unitsPerToken: heads, counts: counts.id, dropped: dropped?.id ?? null, taken: null };
  return { output, balance, zLoss, dropRate, layer };
}

function sharedExpert(builder: ProgramBuilder, x: Tensor, model: ModelConfig, width: number): Tensor {
  const { d_model: inputs, layers } = model;
  return builder.inScope('shared', () =>
    feedForward(builder, x, { inputs, width, activation: model.ffn.activation, layers, role: 'shared', bitnet: model.bitnet }),
  );
}
