import type { ProgramBuilder, Routing, Tensor } from '../graph/builder';
import { product } from '../graph/dimensions';
import type { Initialiser, RoutedLayer } from '../graph/program';
import { selectionSides } from '../config/attentionShape';
import type { AttentionMoeConfig } from '../config/schema';
import { presentOf } from './chunks';
import { passedOver } from './expertDropout';
import type { Initialisation } from './initialisation';

/** The attention that the experts stand in. */
export interface SwitchHeadSpec {
  readonly config: AttentionMoeConfig;
  /** d_model. */
  readonly inputs: number;
  readonly heads: number;
  /** Of one head. */
  readonly width: number;
  readonly initialisation: Initialisation;
}

/**
 * One side of attention, whose units choose k experts in each head: the source side are the tokens that are seen (value, key), the
 * destination side those that see (output, query). Expert e of head h is number h E + e.
 */
export interface Side {
  /** [units * heads, width]: in each head the sum of what its chosen experts make of the unit, times their scores. */
  readonly intoHeads: (projection: 'query' | 'key' | 'value') => Tensor;
  /** mixed [units * heads, width] -> [units, d_model]: the sum over heads and chosen experts. */
  readonly outOfHeads: (projection: 'output', mixed: Tensor) => Tensor;
  readonly layer: RoutedLayer;
}

/** The sides that have experts. */
export interface Sides {
  readonly source?: Side;
  readonly destination?: Side;
}

/**
 * Rows [units, d_model] of the tokens that see, and of those that are seen: the cached chunk too where there is one, else the same tensor.
 */
export interface Seen {
  readonly present: Tensor;
  readonly source: Tensor;
}

/** How good the experts of all heads are for each unit, [units, heads * E]. */
interface Scores {
  /** s: what the chosen ones weigh. */
  readonly weights: Tensor;
  /** What they are chosen by: s, with expert dropout. */
  readonly order: Tensor;
}

/**
 * SwitchHead (2312.07987 section 2.2): s = sigmoid(x W) for the E experts of every head; a unit uses the k best of each head, times their
 * s, which is not renormalised. Each side has a W of its own; with `shared_selection` (section 3.6) the source side uses what the
 * destination side chooses.
 */
export function switchHead(builder: ProgramBuilder, { present, source }: Seen, spec: SwitchHeadSpec): Sides {
  const used = selectionSides(spec.config);
  const chunks = source === present ? 1 : 2;
  const scored = (name: keyof Sides, x: Tensor): Scores => builder.inScope(name, () => scores(builder, x, spec));
  const sourceSide = (by: Scores): Side => builder.inScope('source', () => sideOf(builder, source, by, spec, chunks));
  const destinationSide = (by: Scores): Side => builder.inScope('destination', () => sideOf(builder, present, by, spec, 1));
  if (!used.destination) return { source: sourceSide(scored('source', source)) };
  if (!used.source) return { destination: destinationSide(scored('destination', present)) };
  if (!spec.config.shared_selection) {
    return { source: sourceSide(scored('source', source)), destination: destinationSide(scored('destination', present)) };
  }
  const shared = scored('destination', source);
  if (chunks === 2) return { source: sourceSide(shared), destination: destinationSide(presentScores(builder, shared)) };
  const both = destinationSide(shared);
  return { source: both, destination: both };
}

function presentScores(builder: ProgramBuilder, { weights, order }: Scores): Scores {
  const present = presentOf(builder, weights);
  return { weights: present, order: order === weights ? present : presentOf(builder, order) };
}

/** The routed layers of both sides, of one that they share once. */
export function routedSides({ source, destination }: Sides): RoutedLayer[] {
  return [...new Set([source, destination])].flatMap((side) => (side === undefined ? [] : [side.layer]));
}

function scores(builder: ProgramBuilder, x: Tensor, { config, inputs, heads, initialisation }: SwitchHeadSpec): Scores {
  return builder.inScope('router', () => {
    const initialiser = initialisation.selection(inputs);
    const weight = builder.parameter('weight', [inputs, heads * config.experts], { initialiser, role: 'router' });
    const weights = builder.sigmoid(builder.matmul(x, weight));
    return { weights, order: passedOver(builder, weights, config.expert_dropout) };
  });
}

/** A side in whose scope this is called; its units are the tokens of one chunk or of both. */
function sideOf(builder: ProgramBuilder, x: Tensor, { weights: scored, order }: Scores, spec: SwitchHeadSpec, chunks: 1 | 2): Side {
  const { inputs, heads, width, initialisation } = spec;
  const { experts, top_k: k } = spec.config;
  const pool = heads * experts;
  const [units = 1] = x.shape;
  const chosen = builder.topK(order, k, heads);
  const weights = builder.takeAlongLast(scored, chosen);
  const routing = builder.route(chosen, pool);
  // The k choices of a head lie together: one row for each unit and head is the same numbers in the same order.
  const perHead = [product([units, heads]), k];
  const headRouting: Routing = { ...routing, slots: builder.reshape(routing.slots, perHead) };
  const headWeights = builder.reshape(weights, perHead);
  const multiply = (name: string, rows: Tensor, [from, to]: readonly [number, number], initialiser: Initialiser): Tensor => {
    const options = { initialiser, role: 'attention', shardAxis: 0, activeFraction: k / experts } as const;
    return builder.expertMatmul(rows, builder.parameter(name, [pool, from, to], options), routing);
  };
  // Key and value, or output and query, may go through the same rows.
  let rows: Tensor | undefined;
  return {
    intoHeads: (name) => {
      rows ??= builder.permute(x, routing);
      return builder.combine(multiply(name, rows, [inputs, width], initialisation.matrix(inputs)), headWeights, headRouting);
    },
    outOfHeads: (name, mixed) => {
      const own = builder.permute(mixed, headRouting);
      return builder.combine(multiply(name, own, [width, inputs], initialisation.residual(heads * width)), weights, routing);
    },
    layer: {
      name: builder.scope,
      experts: pool,
      k,
      unitsPerToken: chunks * heads,
      counts: builder.countChoices(chosen, pool, heads * k).id,
      dropped: null,
      taken: null,
    },
  };
}
