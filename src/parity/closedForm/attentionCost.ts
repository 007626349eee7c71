import { headWidth, selectionSides } from '../../config/attentionShape';
import type { AttentionMoeConfig, ModelConfig } from '../../config/schema';

/** What attention of one layer costs, its norm apart: parameters, and multiply-adds per token. */
export interface AttentionCost {
  /** Matrices and experts, and how many of them one token uses. */
  readonly parameters: number;
  readonly active: number;
  /** The projection of relative positions. */
  readonly positionParameters: number;
  /** Selections of SwitchHead. */
  readonly routerParameters: number;
  /** Of queries and keys. */
  readonly normParameters: number;
  /** Matrices that every token passes. */
  readonly projections: number;
  /** Experts of SwitchHead. */
  readonly experts: number;
  readonly selections: number;
  readonly core: number;
  readonly position: number;
}

/** A projection of attention: its matrix has `size` elements, and each token goes through it `passes` times. */
interface Projection {
  readonly name: AttentionMoeConfig['projections'][number];
  readonly size: number;
  /** 2 where the cached chunk goes through it too. */
  readonly passes: number;
}

/**
 * n heads of width w, g of them for keys and values, model width d, context T, C chunks that are seen (2 with a cached one, 1901.02860):
 *
 *     query, output   d n w                  key, value   d g w, C times a token
 *     core            2 C T n w              positions    d n w, C times a token, and C T n w for the scores by them
 *
 * A projection with E experts per head, k of which a token uses, has E times the parameters and k times the MACs (2312.07987 section 2.2);
 * each side that chooses has d n E parameters and MACs for its selections, the source side C times a token.
 */
export function attentionCost(model: ModelConfig): AttentionCost {
  const { d_model: d, context, attention } = model;
  const { heads, kv_heads: keyValueHeads = heads, moe } = attention;
  const width = headWidth(model);
  const relative = attention.position === 'xl';
  const chunks = relative ? 2 : 1;
  const all: readonly Projection[] = [
    { name: 'query', size: d * heads * width, passes: 1 },
    { name: 'key', size: d * keyValueHeads * width, passes: chunks },
    { name: 'value', size: d * keyValueHeads * width, passes: chunks },
    { name: 'output', size: heads * width * d, passes: 1 },
  ];
  const hasExperts = ({ name }: Projection): boolean => moe?.projections.includes(name) === true;
  const [routed, dense] = [all.filter(hasExperts), all.filter((one) => !hasExperts(one))];
  const { experts, top_k: k } = moe ?? { experts: 0, top_k: 0 };
  const selecting = moe === undefined ? { sides: 0, passes: 0 } : selectionPasses(moe, chunks);
  const denseSize = sum(dense, ({ size }) => size);
  const routedSize = sum(routed, ({ size }) => size);
  return {
    parameters: denseSize + experts * routedSize,
    active: denseSize + k * routedSize,
    positionParameters: relative ? d * heads * width : 0,
    routerParameters: selecting.sides * d * heads * experts,
    normParameters: normParameters(model, width),
    projections: sum(dense, ({ size, passes }) => size * passes),
    experts: k * sum(routed, ({ size, passes }) => size * passes),
    selections: selecting.passes * d * heads * experts,
    core: 2 * chunks * context * heads * width,
    position: relative ? chunks * (d * heads * width + context * heads * width) : 0,
  };
}

/** How many sides choose, and how often a token is scored by them: a side that both share scores whatever is seen. */
function selectionPasses(moe: AttentionMoeConfig, chunks: number): { readonly sides: number; readonly passes: number } {
  const { source, destination } = selectionSides(moe);
  if (source && destination) return moe.shared_selection ? { sides: 1, passes: chunks } : { sides: 2, passes: chunks + 1 };
  return { sides: 1, passes: source ? chunks : 1 };
}

function normParameters({ attention: { heads, kv_heads: keyValueHeads = heads, qk_norm: norm } }: ModelConfig, width: number): number {
  if (norm === 'none') return 0;
  return norm === 'head' ? 2 * width : (heads + keyValueHeads) * width;
}

function sum<T>(items: readonly T[], figure: (item: T) => number): number {
  return items.reduce((total, item) => total + figure(item), 0);
}
