import type { ProgramBuilder, Tensor } from '../graph/builder';
import { product } from '../graph/dimensions';
import type { RoutedLayer } from '../graph/program';
import { headWidth } from '../config/attentionShape';
import type { ModelConfig } from '../config/schema';
import { bitInput } from './bitLinear';
import { initialisation } from './initialisation';
import { linear, projection } from './linear';
import { rmsNorm } from './norm';
import type { Seen, Side, Sides } from './switchHead';
import { routedSides, switchHead } from './switchHead';

/** The four projections of attention, each dense or, as `attention.moe` says, with experts. Units are the tokens that are seen. */
export interface AttentionProjections {
  /** [tokens, heads * width], after its norm where there is one. */
  readonly query: () => Tensor;
  /** [units, kv_heads * width], after its norm where there is one. */
  readonly key: () => Tensor;
  /** [units, kv_heads * width]. */
  readonly value: () => Tensor;
  /** mixed [tokens, heads * width] -> [tokens, d_model]. */
  readonly output: (mixed: Tensor) => Tensor;
  /** The sides that choose experts. */
  readonly routedLayers: readonly RoutedLayer[];
}

export function attentionProjections(builder: ProgramBuilder, seen: Seen, model: ModelConfig): AttentionProjections {
  const { d_model: inputs, bitnet } = model;
  const { heads, kv_heads: keyValueHeads = heads, qk_norm: norm, moe } = model.attention;
  const width = headWidth(model);
  const initial = initialisation(model);
  const sides: Sides = moe === undefined ? {} : switchHead(builder, seen, { config: moe, inputs, heads, width, initialisation: initial });
  const present = bitInput(builder, seen.present, bitnet);
  const source = seen.source === seen.present ? present : bitInput(builder, seen.source, bitnet);

  /** The side whose experts a projection has; none where it is dense. */
  const expertsOf = (name: 'query' | 'key' | 'value' | 'output'): Side | undefined => {
    if (moe?.projections.includes(name) !== true) return undefined;
    return name === 'query' || name === 'output' ? sides.destination : sides.source;
  };
  const into = (name: 'query' | 'key' | 'value', rows: Tensor, count: number): Tensor => {
    const experts = expertsOf(name);
    if (experts !== undefined) return builder.reshape(experts.intoHeads(name), rowsOf(rows, count * width));
    const options = { inputs, outputs: count * width, role: 'attention', initialiser: initial.matrix(inputs), bitnet } as const;
    return projection(builder, name, rows, options);
  };
  const normed = (name: string, rows: Tensor, count: number): Tensor => {
    if (norm === 'none') return rows;
    if (norm === 'full') return rmsNorm(builder, name, rows, count * width);
    const [units = 1] = rows.shape;
    return builder.reshape(rmsNorm(builder, name, builder.reshape(rows, [units, count, width]), width), rows.shape);
  };
  return {
    query: () => normed('query_norm', into('query', present, heads), heads),
    key: () => normed('key_norm', into('key', source, keyValueHeads), keyValueHeads),
    value: () => into('value', source, keyValueHeads),
    output: (mixed) => {
      const experts = expertsOf('output');
      if (experts !== undefined) return experts.outOfHeads('output', builder.reshape(mixed, rowsOf(mixed, width, heads)));
      const options = { inputs: heads * width, outputs: inputs, role: 'attention', initialiser: initial.residual(heads * width) } as const;
      return linear(builder, 'output', mixed, { ...options, bitnet });
    },
    routedLayers: routedSides(sides),
  };
}

/** [units of rows * times, width]. */
function rowsOf({ shape: [units = 1] }: Tensor, width: number, times = 1) {
  return [product([units, times]), width];
}
