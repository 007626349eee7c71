import * as z from 'zod';

/**
 * Upper bounds, far beyond any real use: a value above them is a slip, and would else fail deep in the engine, as an array that no machine
 * holds or a number that float32 does not. Lower bounds of factors are there for the same reason.
 */
export const most = {
  width: 1_048_576,
  heads: 65_536,
  layers: 256,
  experts: 1_048_576,
  vocabulary: 16_777_216,
  context: 16_777_216,
  windows: 1_048_576,
  steps: 1_000_000_000,
  tokens: 17_592_186_044_416,
  threads: 1024,
  lossWeight: 1000,
  rate: 1e6,
} as const;

/** A positive whole number up to `bound`. */
export const count = (bound: number) => z.int().positive().max(bound);

/** Layers of a model by their numbers, counted from 0. */
export const layerList = z
  .array(
    z
      .int()
      .nonnegative()
      .max(most.layers - 1),
  )
  .min(1)
  .max(most.layers);
