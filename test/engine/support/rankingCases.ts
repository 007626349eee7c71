import type { Tensor } from '../../../src/graph/builder';
import type { CaseGraph, PrimitiveCase } from './primitiveCases';

/** Scores from few levels, so that many are equal. */
export function tiedScores({ builder, int }: CaseGraph, units: number, columns: number): Tensor {
  const levels = [1, 2, 3].map((level) => builder.greaterEqual(int([units, columns], 4), level));
  return levels.reduce((sum, level) => builder.add(sum, level));
}

/**
 * Scores of retrieved experts as models compute them: a sub-key may be in several of the chosen sums, and its gradient is all of theirs.
 */
function retrievalScores({ builder, float }: CaseGraph, units: number, keys: number, k: number): Tensor[] {
  const [a, b] = [float(units, keys), float(units, keys)];
  const { indices, first, second } = builder.productKeys(a, b, k);
  return [indices, first, second, builder.softmax(builder.add(builder.takeAlongLast(a, first), builder.takeAlongLast(b, second)))];
}

const productKeys = (builder: CaseGraph['builder'], a: Tensor, b: Tensor, k: number): Tensor[] =>
  Object.values(builder.productKeys(a, b, k));

export const rankingCases: readonly PrimitiveCase[] = [
  {
    name: 'topK, ties to the lower column',

    build: ({ builder, int, float }) => {
      const ones = (values: readonly number[]) => builder.greaterEqual(int([3, 4], values), 1);
      const scores = builder.add(ones([0, 1, 1, 0, 1, 1, 1, 1, 0, 0, 0, 0]), ones([0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]));
      return [builder.topK(scores, 3), builder.topK(float(6, 5), 2), builder.topK(float(6, 5), 5)];
    },
  },
  {
    name: 'topK of many columns, with ties',
    build: (graph) => [
      graph.builder.topK(tiedScores(graph, 7, 70), 9),
      graph.builder.topK(graph.float(7, 70), 70),
      graph.builder.topK(tiedScores(graph, 3, 70), 2),
    ],
  },
  {
    name: 'topK in groups: columns of the whole, section by section, with ties',
    build: (graph) => {
      const { builder, float } = graph;
      return [
        builder.topK(float(6, 12), 2, 3),
        builder.topK(tiedScores(graph, 6, 12), 1, 4),
        builder.topK(tiedScores(graph, 6, 21), 6, 3),
        builder.topK(float(6, 4), 1, 4),
      ];
    },
  },
  {
    name: 'experts of every group, as SwitchHead weighs and routes them',
    build: ({ builder, float }) => {
      const [heads, experts, k, width] = [3, 4, 2, 5];
      const x = float(8, 6);
      const scores = builder.sigmoid(float(8, heads * experts));
      const chosen = builder.topK(scores, k, heads);
      const weights = builder.takeAlongLast(scores, chosen);
      const routing = builder.route(chosen, heads * experts);
      const y = builder.expertMatmul(builder.permute(x, routing), float(heads * experts, 6, width), routing);
      // A head is a unit of its own when its experts' outputs are added up.
      const perHead = { ...routing, slots: builder.reshape(routing.slots, [8 * heads, k]) };
      return [builder.combine(y, builder.reshape(weights, [8 * heads, k]), perHead), routing.counts];
    },
  },
  { name: 'productKeys and the scores of what they chose', build: (graph) => retrievalScores(graph, 6, 7, 5) },
  { name: 'productKeys, one choice', build: (graph) => retrievalScores(graph, 5, 4, 1) },
  { name: 'productKeys, as many choices as keys', build: (graph) => retrievalScores(graph, 4, 6, 6) },
  { name: 'productKeys of one key', build: (graph) => retrievalScores(graph, 3, 1, 1) },
  { name: 'productKeys of many keys', build: (graph) => retrievalScores(graph, 5, 130, 32) },
  {
    name: 'productKeys, ties by rank in a, then in b',
    build: (graph) => [
      ...productKeys(graph.builder, tiedScores(graph, 9, 12), tiedScores(graph, 9, 12), 6),
      ...productKeys(graph.builder, graph.builder.constant(0, [3, 5]), graph.builder.constant(1, [3, 5]), 5),
    ],
  },
];
