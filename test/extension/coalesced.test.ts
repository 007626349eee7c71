import { expect, it } from 'vitest';
import { coalesced } from '../../src/extension/coalesced';

/** A job whose ends the test decides. */
function slowJob() {
  const ends: (() => void)[] = [];
  let underWay = 0;
  let most = 0;
  const run = coalesced(async () => {
    most = Math.max(most, ++underWay);
    await new Promise<void>((resolve) => ends.push(resolve));
    underWay--;
  });
  return { run, ends, most: () => most };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('does for many requests at once one job now and one afterwards, never two at a time', async () => {
  const { run, ends, most } = slowJob();
  const all = Promise.all(Array.from({ length: 100 }, () => run()));
  expect(ends).toHaveLength(1);
  ends[0]?.();
  await settled();
  expect(ends).toHaveLength(2);
  ends[1]?.();
  await all;
  expect(ends).toHaveLength(2);
  expect(most()).toBe(1);
});

it('starts anew for a request that comes when all is done', async () => {
  const { run, ends } = slowJob();
  const first = run();
  ends[0]?.();
  await first;
  const second = run();
  expect(ends).toHaveLength(2);
  ends[1]?.();
  await second;
});

it('tells whoever asked that the job failed, and does it again when it is asked for again', async () => {
  let failures = 1;
  let done = 0;
  const run = coalesced(async () => {
    await settled();
    if (failures-- > 0) throw new Error('no disk');
    done++;
  });
  await expect(run()).rejects.toThrow('no disk');
  await run();
  expect(done).toBe(1);
});
