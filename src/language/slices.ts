import type { Steps } from '../config/steps';

/** How work in steps shares the thread with everybody else. */
export interface Slices {
  /** Longest time at a stretch, in milliseconds; a step that has begun is finished. */
  readonly milliseconds: number;
  now(): number;
  /** Lets others work; resolves when it may go on. */
  pause(): Promise<void>;
}

/** The thread is given back after each slice. Less than the 8 ms that nobody notices, since the collection of garbage may come on top. */
export const ownSlices: Slices = {
  milliseconds: 5,
  now: () => performance.now(),
  pause: () => new Promise((resolve) => setImmediate(resolve)),
};

/** What is left after a slice of the memory of a slow step. */
const REMEMBERED = 0.9;

/** Ends slices before they are likely to take longer than they may: a step takes about as long as the slowest of late. */
export class Pace {
  /** Of one step, in milliseconds: before any was seen, all that there is, as code that runs for the first time is slow. */
  #slowest: number;
  #longest = 0;

  constructor(private readonly slices: Slices) {
    this.#slowest = slices.milliseconds;
  }

  /** The longest slice, in milliseconds. */
  get longest(): number {
    return this.#longest;
  }

  /** Goes on with a work for one slice. Returns its last step. */
  slice<Result>(work: Steps<Result>): IteratorResult<undefined, Result> {
    const { now, milliseconds } = this.slices;
    const start = now();
    for (let last = start; ;) {
      const step = work.next();
      const end = now();
      this.#slowest = Math.max(end - last, this.#slowest);
      last = end;
      if (step.done !== true && end - start + this.#slowest <= milliseconds) continue;
      this.#longest = Math.max(this.#longest, end - start);
      this.#slowest *= REMEMBERED;
      return step;
    }
  }
}

/** All of a work, in slices; undefined where it is no longer wanted. */
export async function inSlices<Result>(
  work: Steps<Result>,
  isWanted: () => boolean,
  slices: Slices = ownSlices,
): Promise<Result | undefined> {
  const pace = new Pace(slices);
  for (let step = pace.slice(work); ; step = pace.slice(work)) {
    if (step.done === true) return step.value;
    await slices.pause();
    if (!isWanted()) return undefined;
  }
}
