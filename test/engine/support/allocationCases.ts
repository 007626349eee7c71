import type { Tensor } from '../../../src/graph/builder';
import type { CaseGraph, PrimitiveCase } from './primitiveCases';

/** Units with as many experts as they take, as models route them; `taken` given. Every output has a shape that both layouts share. */
function takenCase(name: string, experts: number, k: number, taken: readonly number[], chosen?: readonly number[]): PrimitiveCase {
  return {
    name,
    build: ({ builder, float, int }) => {
      const units = taken.length;
      const x = float(units, 6);
      const scores = float(units, experts);
      const indices = chosen === undefined ? builder.topK(scores, k) : int([units, k], chosen);
      const limited = builder.firstChoices(indices, int([units, 1], taken), experts);
      const routing = builder.route(limited.indices, experts, 0.5);
      const weights = builder.multiply(builder.takeAlongLast(builder.softmax(scores), indices), limited.kept);
      const rows = builder.permute(x, routing);
      const hidden = builder.multiply(
        builder.activation('silu', builder.expertMatmul(rows, float(experts, 6, 5), routing)),
        builder.expertMatmul(rows, float(experts, 6, 5), routing),
      );
      const mixed = builder.combine(builder.expertMatmul(hidden, float(experts, 6, 5), routing, true), weights, routing);
      const counts = [1, k].map((choices) => builder.countChoices(limited.indices, experts, choices));
      return [mixed, limited.indices, limited.kept, routing.counts, ...counts];
    },
  };
}

/** Importances of mean 1 in every window: exponentials, some of them far above. */
function importances({ builder, float }: CaseGraph, batch: number, time: number): Tensor {
  const raw = builder.exp(float(batch, time));
  return builder.divide(raw, builder.mean(raw, [1], true));
}

export const allocationCases: readonly PrimitiveCase[] = [
  {
    name: 'attentionImportance of causal attention',
    build: ({ builder, float }) => {
      const [q, k] = [float(2, 3, 7, 4), float(2, 3, 7, 4)];
      return (['row_max', 'entropy'] as const).map((statistic) =>
        builder.attentionImportance(q, k, { statistic, causal: true, scale: 0.7 }),
      );
    },
  },
  {
    name: 'attentionImportance of full attention, every statistic',
    build: ({ builder, float }) => {
      const [q, k] = [float(2, 3, 5, 4), float(2, 3, 5, 4)];
      const statistics = ['received', 'cls_row', 'row_max', 'entropy'] as const;
      return statistics.map((statistic) => builder.attentionImportance(q, k, { statistic, causal: false, scale: 0.7 }));
    },
  },
  {
    name: 'attentionImportance over a long context and a single token, and where attention is even or nearly so',
    build: ({ builder, float }) => {
      const [q, k, alone] = [float(1, 2, 200, 3), float(1, 2, 200, 3), float(2, 1, 1, 3)];
      const same = builder.constant(0, [1, 2, 6, 3]);
      const nearly = builder.multiply(float(1, 2, 40, 3), builder.constant(0.01));
      return (['row_max', 'entropy'] as const).flatMap((statistic) => [
        builder.attentionImportance(q, k, { statistic, causal: true, scale: 0.5 }),
        builder.attentionImportance(alone, alone, { statistic, causal: true, scale: 0.5 }),
        builder.attentionImportance(alone, alone, { statistic, causal: false, scale: 0.5 }),
        builder.attentionImportance(same, same, { statistic, causal: false, scale: 0.5 }),
        builder.attentionImportance(same, same, { statistic, causal: true, scale: 0.5 }),
        builder.attentionImportance(nearly, nearly, { statistic, causal: true, scale: 0.5 }),
      ]);
    },
  },
  {
    name: 'attentionImportance beside the attention it is of',
    build: ({ builder, float }) => {
      const [q, k] = [float(1, 2, 6, 3), float(1, 2, 6, 3)];
      return [
        builder.attention(q, k, float(1, 2, 6, 3), true, 0.5),
        builder.attentionImportance(q, k, { statistic: 'row_max', causal: true, scale: 0.5 }),
      ];
    },
  },
  {
    name: 'allocateChoices by importance alone, halves to even, clipped',
    build: (graph) => [
      graph.builder.allocateChoices(importances(graph, 3, 40), { mean: 2, least: 1, most: 4, budget: false }),
      graph.builder.allocateChoices(graph.given([1, 8], [0.25, 0.75, 1.25, 1.75, 0, 9, 1, 0.5]), {
        mean: 2,
        least: 1,
        most: 5,
        budget: false,
      }),
    ],
  },
  {
    name: 'allocateChoices within a budget',
    build: (graph) => [
      graph.builder.allocateChoices(importances(graph, 3, 41), { mean: 2, least: 1, most: 4, budget: true }),
      graph.builder.allocateChoices(importances(graph, 2, 64), { mean: 1.5, least: 1, most: 8, budget: true }),
      graph.builder.allocateChoices(importances(graph, 2, 7), { mean: 3, least: 3, most: 3, budget: true }),
      graph.builder.allocateChoices(importances(graph, 4, 1), { mean: 2, least: 1, most: 4, budget: true }),
    ],
  },
  {
    name: 'allocateChoices within a budget: ties to the earlier, a total that is a half, and who has all there is',
    build: ({ builder, given }) => [
      builder.allocateChoices(builder.constant(1, [2, 5]), { mean: 1.5, least: 1, most: 3, budget: true }),
      builder.allocateChoices(builder.constant(1, [1, 5]), { mean: 2.3, least: 1, most: 3, budget: true }),
      builder.allocateChoices(given([1, 6], [5, 5, 0, 0, 0, 0]), { mean: 2, least: 1, most: 4, budget: true }),
      // Only zeros: the least for each, then from the start whatever is left.
      builder.allocateChoices(given([1, 4], [0, 0, 0, 0]), { mean: 2, least: 1, most: 4, budget: true }),
    ],
  },
  {
    name: 'allocateChoices among more tokens than a workgroup sorts',
    build: (graph) => graph.builder.allocateChoices(importances(graph, 1, 2100), { mean: 2, least: 1, most: 4, budget: true }),
  },
  {
    name: 'countUntil: sums that reach the threshold, exactly, at once, at the last and never',
    build: ({ builder, given, positive }) => [
      builder.countUntil(
        given([5, 4], [0.5, 0.25, 0.125, 0.125, 0.9, 0.05, 0.03, 0.02, 0.25, 0.25, 0.125, 0.125, 0, 0, 0, 0, 1, 0, 0, 0]),
        0.75,
      ),
      // Not only growing sums: the first that is large enough counts.
      builder.countUntil(given([1, 4], [1, -1, 0, 0]), 0.75),
      builder.countUntil(positive(6, 1), 0.75),
      builder.countUntil(builder.softmax(positive(9, 7)), 0.6),
    ],
  },
  takenCase('units that take different numbers of experts', 4, 3, [1, 3, 2, 1, 1, 3, 3, 2, 1, 1, 2]),
  takenCase('units that take all of their choices', 3, 2, [2, 2, 2, 2, 2]),
  takenCase('units that take nothing', 3, 2, [0, 0, 0, 0, 0, 0]),
  takenCase('one expert, which some units do not take', 1, 1, [1, 0, 1, 1, 0]),
  takenCase(
    'many units that take few of many choices',
    5,
    5,
    Array.from({ length: 67 }, (_, unit) => (unit % 7) - 1),
  ),
  takenCase('experts that nobody takes, though all choose them', 4, 2, [1, 1, 1, 1], [0, 3, 2, 3, 0, 3, 2, 3]),
  ...(['unit', 'choice'] as const).map((order): PrimitiveCase => ({
    name: `withinCapacity by ${order}, with choices of nowhere`,
    build: ({ builder, float, int }) => {
      const limited = builder.firstChoices(builder.topK(float(30, 4), 3), int([30, 1], 4), 4);
      return [
        builder.withinCapacity(limited.indices, 4, 0.5, order),
        builder.withinCapacity(int([6, 1], [3, 3, 3, 0, 0, 3]), 3, 0.3, order),
        builder.withinCapacity(int([3, 2], [3, 3, 3, 3, 3, 3]), 3, 1, order),
      ];
    },
  })),
  {
    name: 'integers expand to the sub-tokens of a token',
    build: ({ builder, int }) => builder.reshape(builder.expand(int([4, 1], [3, 0, 1, 2]), [4, 3]), [12, 1]),
  },
];
