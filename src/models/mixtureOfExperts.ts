import type { ProgramBuilder, Tensor } from '../graph/builder';
import { product } from '../graph/dimensions';
import type { RoutedLayer } from '../graph/program';
import { mostChoices, unitsPerToken } from '../config/moeShape';
import type { MoeConfig, ModelConfig } from '../config/schema';
import { expertShape } from './ablation';
import { expertPool } from './expertPool';
import { feedForward } from './feedForward';
import { initialisation } from './initialisation';
import { linear } from './linear';
import type { RouterContext } from './router';
import { router } from './router';

/** A routed layer's output and its part of the loss: unweighted, null where the config has none. */
export interface RoutedOutput {
  readonly output: Tensor;
  readonly balance: Tensor | null;
  readonly zLoss: Tensor | null;
  /** Mean entropy of the scores of a unit: of `select: top_p` with an `entropy_weight`. */
  readonly entropy: Tensor | null;
  readonly dropRate: Tensor | null;
  readonly layer: RoutedLayer;
}

/**
 * A routed feed-forward layer, x [tokens, d_model] -> [tokens, d_model]. smoe routes tokens. mh-moe (2411.16205 Eq. 2-4) projects by the
 * head layer, splits each token into `heads` contiguous slices, routes those sub-tokens through one router and one expert pool of width
 * d_model / heads, adds each sub-token to what its experts give (`inner_residual`, 2404.15045 Eq. 6), joins them in order and projects by
 * the merge layer. A shared expert sees the whole token and is added after the merge, ungated. `context.scope` is global where the config
 * says so and a step has more than one microbatch.
 */
export function mixtureOfExperts(
  builder: ProgramBuilder,
  x: Tensor,
  model: ModelConfig,
  config: MoeConfig,
  context: RouterContext,
): RoutedOutput {
  const multiHead = config.kind === 'mh-moe';
  const heads = unitsPerToken(config);
  const unitWidth = model.d_model / heads;
  const units = product([...x.shape.slice(0, 1), heads]);
  const { experts, width } = expertShape(model, config);
  const k = config.top_k;
  const initial = initialisation(model);
  const square = {
    inputs: model.d_model,
    outputs: model.d_model,
    bias: config.projection_bias,
    bitnet: model.bitnet?.quantize_head_merge === true ? model.bitnet : undefined,
  };

  const projected =
    multiHead && config.head_layer
      ? builder.inScope('head', () => linear(builder, 'weight', x, { ...square, role: 'head', initialiser: initial.matrix(model.d_model) }))
      : x;
  const subTokens = heads === 1 ? projected : builder.reshape(projected, [units, unitWidth]);
  const most = mostChoices(model, config);
  const spec = { config: config.router, width: unitWidth, experts, k, most, unitsPerToken: heads, initialisation: initial };
  const decision = router(builder, subTokens, spec, context);
  const mergesAfter = multiHead && config.merge_layer;
  const routed = builder.inScope('experts', () =>
    expertPool(builder, subTokens, decision.dispatch, {
      experts,
      inputs: unitWidth,
      width,
      activation: model.ffn.activation,
      bitnet: model.bitnet,
      activeFraction: Math.min(1, (heads * k) / experts),
      // A unit gets the sum of its experts, of which there may be as many as there are: as one layer of their width (2310.10837).
      initialisers: {
        inner: initial.matrix(unitWidth),
        output: mergesAfter ? initial.matrix(experts * width) : initial.residual(experts * width),
      },
    }),
  );
  const answered = multiHead && config.inner_residual ? builder.add(routed, subTokens) : routed;
  const joined = heads === 1 ? answered : builder.reshape(answered, x.shape);
  const merged = mergesAfter
    ? builder.inScope('merge', () =>
        linear(builder, 'weight', joined, { ...square, role: 'merge', initialiser: initial.residual(model.d_model) }),
      )
    : joined;
  const output = config.shared_width === 0 ? merged : builder.add(merged, sharedExpert(builder, x, model, config.shared_width));
  const { balance, zLoss, entropy, dropRate, counts, dropped, taken } = decision;
  const outcome = { counts: counts.id, dropped: dropped?.id ?? null, taken: taken?.id ?? null };
  return { output, balance, zLoss, entropy, dropRate, layer: { name: builder.scope, experts, k: most, unitsPerToken: heads, ...outcome } };
}

function sharedExpert(builder: ProgramBuilder, x: Tensor, model: ModelConfig, width: number): Tensor {
  const { d_model: inputs, bitnet } = model;
  return builder.inScope('shared', () =>
    feedForward(builder, x, {
      inputs,
      width,
      activation: model.ffn.activation,
      role: 'shared',
      initialisation: initialisation(model),
      bitnet,
    }),
  );
}
