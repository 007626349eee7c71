import { describe, expect, it } from 'vitest';
import type { Steps } from '../../src/config/steps';
import { inSlices, Pace, type Slices } from '../../src/language/slices';

/** A clock that only steps move, by what each is said to take. */
class Clock {
  time = 0;
  readonly taken: number[] = [];
  pauses = 0;
  readonly slices: Slices = {
    milliseconds: 5,
    now: () => this.time,
    pause: () => {
      this.pauses += 1;
      return Promise.resolve();
    },
  };

  *work(steps: readonly number[]): Steps<string> {
    for (const step of steps) {
      this.time += step;
      this.taken.push(step);
      yield;
    }
    return 'done';
  }
}

describe('a pace', () => {
  const lengths = (steps: readonly number[]): readonly number[] => {
    const clock = new Clock();
    const pace = new Pace(clock.slices);
    const work = clock.work(steps);
    const found: number[] = [];
    for (let done = false; !done;) {
      const before = clock.taken.length;
      done = pace.slice(work).done === true;
      found.push(clock.taken.length - before);
    }
    return found;
  };

  it('takes one step first, as nobody knows how long it takes, and more of them as they turn out to be short', () => {
    const found = lengths(Array.from({ length: 400 }, () => 0.25));
    expect(found[0]).toBe(1);
    // The last one may be cut short by the end of the work.
    const full = found.slice(0, -1);
    expect(full).toEqual(full.toSorted((one, other) => one - other));
    expect(full.at(-1)).toBe(19);
  });

  it('stops before a step that may be as slow as the last slow one', () => {
    const clock = new Clock();
    const pace = new Pace(clock.slices);
    const work = clock.work([4, 4, 4]);
    for (let taken = 1; taken <= 3; taken++) {
      expect(pace.slice(work).done).not.toBe(true);
      expect(clock.taken).toHaveLength(taken);
    }
    expect(pace.longest).toBe(4);
  });
});

describe('a work in slices', () => {
  it('is done as if it were in one, with pauses', async () => {
    const clock = new Clock();
    expect(await inSlices(clock.work([3, 3, 3]), () => true, clock.slices)).toBe('done');
    expect(clock.taken).toHaveLength(3);
    expect(clock.pauses).toBe(3);
  });

  it('is left when it is no longer wanted', async () => {
    const clock = new Clock();
    expect(await inSlices(clock.work([3, 3, 3]), () => clock.time < 6, clock.slices)).toBeUndefined();
    expect(clock.taken).toEqual([3, 3]);
  });
});
