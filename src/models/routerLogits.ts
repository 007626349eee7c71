import type { ProgramBuilder, Tensor } from '../graph/builder';
import type { Initialiser } from '../graph/program';
import type { RouterConfig } from '../config/schema';
import type { Initialisation } from './initialisation';

/** The router of one layer: what every part of it needs to know. */
export interface RouterSpec {
  readonly config: RouterConfig;
  /** Width of a routed unit. */
  readonly width: number;
  readonly experts: number;
  /** Experts of a unit; where units take different numbers, how many on average are aimed at or assumed. */
  readonly k: number;
  /** The most that a unit takes; `k` where all take as many. */
  readonly most: number;
  /** Routed units that a token becomes. */
  readonly unitsPerToken: number;
  readonly initialisation: Initialisation;
}

/** Added to the squared length of a vector before its root, so that a zero vector has a direction. */
const SQUARED_LENGTH_FLOOR = 1e-12;

/**
 * Router logits z [units, experts] of x [units, width]. In training, `jitter` multiplies what the router sees, not what the experts see, by
 * uniform noise in [1 - jitter, 1 + jitter) (2101.03961).
 */
export function routerLogits(builder: ProgramBuilder, x: Tensor, spec: RouterSpec): Tensor {
  const { jitter, type } = spec.config;
  const range = { low: 1 - jitter, high: 1 + jitter, evaluation: 1 };
  const seen = jitter === 0 ? x : builder.multiply(x, builder.noise('jitter', x.shape, range));
  return type === 'linear' ? linearLogits(builder, seen, spec) : cosineLogits(builder, seen, spec);
}

/** z = x W, without bias; W is the parameter `weight` [width, experts]. */
function linearLogits(builder: ProgramBuilder, x: Tensor, spec: RouterSpec): Tensor {
  return builder.matmul(x, weights(builder, 'weight', [spec.width, spec.experts], spec));
}

/**
 * z = cos(x P, V_e) / temperature (X-MoE, 2204.09179), P the parameter `projection` [width, dimension], V_e a column of `experts`
 * [dimension, experts]. What is trained is `log_scale`, the logarithm of 1 / temperature.
 */
function cosineLogits(builder: ProgramBuilder, x: Tensor, spec: RouterSpec): Tensor {
  const { dimension, temperature, learn_temperature: learnt } = spec.config;
  const reduced = builder.matmul(x, weights(builder, 'projection', [spec.width, dimension], spec));
  const vectors = weights(builder, 'experts', [dimension, spec.experts], spec);
  const cosine = builder.matmul(unitLength(builder, reduced, 1), unitLength(builder, vectors, 0));
  const initialiser = { kind: 'constant', value: Math.log(1 / temperature) } as const;
  const logScale = routerParameter(builder, 'log_scale', [1], { initialiser, trained: learnt && !spec.config.frozen, decayed: false });
  return builder.multiply(cosine, builder.exp(logScale));
}

/** x / sqrt(sum(x^2) + 1e-12) along `axis`. */
function unitLength(builder: ProgramBuilder, x: Tensor, axis: 0 | 1): Tensor {
  const squared = builder.sum(builder.multiply(x, x), [axis], true);
  return builder.divide(x, builder.sqrt(builder.add(squared, builder.constant(SQUARED_LENGTH_FLOOR))));
}

function weights(
  builder: ProgramBuilder,
  name: string,
  [inputs, outputs]: readonly [number, number],
  { config, initialisation }: RouterSpec,
): Tensor {
  const initialiser = initialisation.selection(inputs);
  return routerParameter(builder, name, [inputs, outputs], { initialiser, trained: !config.frozen, decayed: !config.frozen });
}

interface RouterParameter {
  readonly initialiser: Initialiser;
  /** Else it stays as it is initialised: it gets no gradient, and must not decay either. */
  readonly trained: boolean;
  readonly decayed: boolean;
}

function routerParameter(builder: ProgramBuilder, name: string, shape: readonly number[], options: RouterParameter): Tensor {
  const { initialiser, trained, decayed } = options;
  const parameter = builder.parameter(name, shape, { initialiser, role: 'router', group: decayed ? 'decayed' : 'undecayed' });
  return trained ? parameter : builder.stopGradient(parameter);
}
