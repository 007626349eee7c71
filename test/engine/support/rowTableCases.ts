import type { PrimitiveCase } from './primitiveCases';

/** A PEER layer as models build it, given what it chose: the tables' gradients are lists of rows, or `dense`. */
function peerCase(name: string, gradient: 'rows' | 'dense', rows: number, chosen: readonly (readonly number[])[]): PrimitiveCase {
  return {
    name,
    build: ({ builder, float, table, int }) => {
      const k = chosen[0]?.length ?? 0;
      const make = () => (gradient === 'rows' ? table(rows, 4) : float(rows, 4));
      const [down, up] = [make(), make()];
      const x = float(chosen.length, 4);
      const indices = int([chosen.length, k], chosen.flat());
      const hidden = builder.activation('gelu', builder.rowDot(down, indices, x));
      return builder.rowSum(up, indices, builder.multiply(hidden, float(chosen.length, k)));
    },
  };
}

const distinct = [
  [3, 0, 8],
  [8, 2, 1],
  [0, 6, 3],
];

/** Row 5 by two choices of one unit, of three, and by many units. */
const repeated = [
  [5, 1, 5, 0],
  [5, 5, 5, 2],
  [7, 5, 7, 7],
  [1, 2, 3, 4],
  [5, 8, 8, 5],
];

export const rowTableCases: readonly PrimitiveCase[] = [
  peerCase('rowDot and rowSum, gradients as rows', 'rows', 9, distinct),
  peerCase('rowDot and rowSum, rows chosen more than once', 'rows', 9, repeated),
  peerCase('rowDot and rowSum, dense gradients by rowOuter', 'dense', 9, distinct),
  peerCase('rowDot and rowSum, dense gradients of rows chosen more than once', 'dense', 9, repeated),
  peerCase('rowDot and rowSum, one choice of one row', 'rows', 1, [[0]]),
  {
    name: 'rowDot and rowSum read by two layers of one table',
    build: ({ builder, table, float, int }) => {
      const values = table(6, 3);
      const [first, second] = [int([4, 2], 6), int([4, 3], 6)];
      return [builder.rowSum(values, first, float(4, 2)), builder.rowSum(values, second, builder.rowDot(values, second, float(4, 3)))];
    },
  },
  {
    name: 'rowOuter and its own gradient',
    build: ({ builder, float, int }) => builder.rowOuter(int([5, 4], repeated.flat()), float(5, 4), float(5, 3), 9),
  },
  ...[1, 24, 60].map((mostElements): PrimitiveCase => ({
    name: `row tables in pieces of at most ${mostElements} elements`,
    mostElements,
    build: ({ builder, float, int }) => {
      const [tables, indices] = [float(9, 3), int([5, 4], repeated.flat())];
      return [
        builder.rowSum(tables, indices, builder.rowDot(tables, indices, float(5, 3))),
        builder.rowOuter(indices, float(5, 4), float(5, 3), 9),
        builder.scatterAlongLast(indices, float(5, 4), 9),
      ];
    },
  })),
];
