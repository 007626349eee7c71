import type { ProgramBuilder, Routing, Tensor } from '../graph/builder';
import { product } from '../graph/dimensions';
import type { RoutedLayer } from '../graph/program';
import type { ActivationFunction, MoeConfig, ModelConfig } from '../config/schema';
import { feedForward, hiddenUnits } from './feedForward';
import { INITIAL_STANDARD_DEVIATION, linear, residualScale } from './linear';
import { router } from './router';

export interface RoutedOutput {
  readonly output: Tensor;
  readonly balance: Tensor;
  readonly layer: RoutedLayer;
}

interface ExpertPool {
  readonly experts: number;
  /** Width of a routed unit: d_model, or d_model / heads for sub-tokens. */
  readonly inputs: number;
  readonly width: number;
  readonly activation: ActivationFunction;
  /** Experts used per token over experts held; an upper bound when sub-tokens may share one. */
  readonly activeFraction: number;
  readonly outputScale: number;
}

/** Routed rows through their experts: rows [R, inputs] -> [R, inputs]; weights stacked [experts, in, out]. */
function expertPool(builder: ProgramBuilder, rows: Tensor, routing: Routing, pool: ExpertPool): Tensor {
  const stacked = (name: string, x: Tensor, inputs: number, outputs: number, scale: number): Tensor => {
    const weight = builder.parameter(name, [pool.experts, inputs, outputs], {
      initialiser: { kind: 'normal', standardDeviation: INITIAL_STANDARD_DEVIATION * scale },
      role: 'experts',
      shardAxis: 0,
      activeFraction: pool.activeFraction,
    });
    return builder.expertMatmul(x, weight, routing);
  };
  const hidden = hiddenUnits(builder, pool.activation, (name) => stacked(name, rows, pool.inputs, pool.width, 1));
  return stacked('w2', hidden, pool.width, pool.inputs, pool.outputScale);
}

/**
 * A routed feed-forward layer, x [tokens, d_model] -> [tokens, d_model].
 * smoe routes tokens. mh-moe (2411.16205 Eq. 2-4) projects by the head layer, splits each token into `heads` contiguous slices,
 * routes those sub-tokens through one router and one expert pool of width d_model / heads, joins them in order and projects by the
 * merge layer. There is no inner residual (that is 2404.15045). A shared expert sees the whole token and is added after the merge.
 */
export function mixtureOfExperts(builder: ProgramBuilder, x: Tensor, model: ModelConfig, config: MoeConfig): RoutedOutput {
  const multiHead = config.kind === 'mh-moe';
  const heads = multiHead ? config.heads : 1;
  const unitWidth = model.d_model / heads;
  const units = product([...x.shape.slice(0, 1), heads]);
  const square = { inputs: model.d_model, outputs: model.d_model } as const;

  const projected =
    multiHead && config.head_layer ? builder.inScope('head', () => linear(builder, 'weight', x, { ...square, role: 'head' })) : x;
  const subTokens = heads === 1 ? projected : builder.reshape(projected, [units, unitWidth]);
  const { routing, weights, balance, counts } = router(builder, subTokens, unitWidth, config);
  const mergesAfter = multiHead && config.merge_layer;
  const combined = builder.inScope('experts', () => {
    const rows = builder.permute(subTokens, routing);
    const outputs = expertPool(builder, rows, routing, {
      experts: config.experts,
      inputs: unitWidth,
      width: config.expert_width,
      activation: model.ffn.activation,
      activeFraction: Math.min(1, (heads * config.top_k) / config.experts),
      outputScale: mergesAfter ? 1 : residualScale(model.layers),
    });
    return builder.combine(outputs, weights, routing);
  });
  const joined = heads === 1 ? combined : builder.reshape(combined, x.shape);
  const merged = mergesAfter
    ? builder.inScope('merge', () =>
        linear(builder, 'weight', joined, { ...square, role: 'merge', initialScale: residualScale(model.layers) }),
      )
    : joined;
  const output = config.shared_width === 0 ? merged : builder.add(merged, sharedExpert(builder, x, model, config.shared_width));
  const layer = { name: builder.scope, experts: config.experts, k: config.top_k, unitsPerToken: heads, counts: counts.id };
  return { output, balance, layer };
}

function sharedExpert(builder: ProgramBuilder, x: Tensor, model: ModelConfig, width: number): Tensor {
  const { d_model: inputs, layers } = model;
  return builder.inScope('shared', () =>
    feedForward(builder, x, { inputs, width, activation: model.ffn.activation, layers, role: 'shared' }),
  );
}
