/**
 * Work that may be left between two of its steps, so that it need not keep a thread for longer than one of them takes. Whoever drives it
 * decides when it goes on; work that is dropped is not finished, and nobody minds.
 */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** All of it without a break. */
export function atOnce<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
