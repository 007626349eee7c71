import type { PrimitiveCase } from './primitiveCases';

interface Sizes {
  readonly batch: number;
  readonly heads: number;
  readonly time: number;
  readonly width: number;
}

/** Relative attention over a cache that the windows see, or not: `seen` of 1 or 0 for each. */
function relativeCase(name: string, { batch, heads, time, width }: Sizes, seen: readonly number[]): PrimitiveCase {
  return {
    name,
    build: ({ builder, float, int }) => {
      const states = () => float(batch, heads, time, width);
      const operands = {
        q: states(),
        k: states(),
        v: states(),
        memoryKeys: states(),
        memoryValues: states(),
        positions: float(heads, 2 * time, width),
        seen: builder.greaterEqual(int([batch], seen), 1),
      };
      return builder.relativeAttention(operands, 0.6);
    },
  };
}

export const relativeAttentionCases: readonly PrimitiveCase[] = [
  relativeCase('relativeAttention, cache seen', { batch: 2, heads: 3, time: 5, width: 4 }, [1, 1]),
  relativeCase('relativeAttention, cache unseen', { batch: 2, heads: 1, time: 4, width: 3 }, [0, 0]),
  relativeCase('relativeAttention, cache seen by some windows', { batch: 3, heads: 2, time: 6, width: 3 }, [1, 0, 1]),
  relativeCase('relativeAttention of one token', { batch: 2, heads: 2, time: 1, width: 3 }, [0, 1]),
  relativeCase('relativeAttention over a long context', { batch: 2, heads: 2, time: 198, width: 3 }, [1, 0]),
  {
    name: 'relativeAttention of positions that come out of a projection of sinusoids',
    build: ({ builder, float }) => {
      const [heads, time, width] = [2, 5, 3];
      const positions = builder.matmul(builder.sinusoid(2 * time, 8), float(8, heads * width));
      const state = () => float(1, heads, time, width);
      return builder.relativeAttention(
        {
          q: state(),
          k: state(),
          v: state(),
          memoryKeys: state(),
          memoryValues: state(),
          positions: builder.transpose(builder.reshape(positions, [2 * time, heads, width]), [1, 0, 2]),
          seen: builder.constant(1, [1]),
        },
        0.6,
      );
    },
  },
  {
    name: 'sinusoid, far and near',
    build: ({ builder }) => [builder.sinusoid(9, 6), builder.sinusoid(1, 2), builder.sinusoid(3000, 4), builder.sinusoid('2*batch', 4)],
  },
];
