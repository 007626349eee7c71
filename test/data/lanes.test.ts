import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scoredTokens } from '../../src/data/batches';
import { DataError } from '../../src/data/dataError';
import { chunksPerLane, laneBatches, LaneOrder, type LaneBatch } from '../../src/data/lanes';

/** A text in which every stretch of three tokens says where it is. */
const textOf = (length: number) => Uint8Array.from({ length }, (_, at) => [at % 251, Math.floor(at / 251) % 256, at % 241][at % 3] ?? 0);

const rowsOf = ({ batch, time, tokens, targets, resets }: LaneBatch) =>
  Array.from({ length: batch }, (_, row) => ({
    tokens: [...tokens.subarray(row * time, (row + 1) * time)],
    targets: [...targets.subarray(row * time, (row + 1) * time)],
    reset: resets[row],
  }));

const setting = fc.record({
  context: fc.integer({ min: 1, max: 9 }),
  lanes: fc.integer({ min: 1, max: 7 }),
  seed: fc.nat(9),
  /** Beyond the shortest text that will do. */
  extra: fc.nat(400),
});

const orderOf = ({ context, lanes, seed, extra }: { context: number; lanes: number; seed: number; extra: number }) => {
  const text = textOf(2 * lanes * context + 1 + extra);
  return { text, order: new LaneOrder(text, context, seed, lanes) };
};

describe('lanes of training', () => {
  it('see every token of their stretch in order and once an epoch; stretches are adjacent and of one length', () => {
    fc.assert(
      fc.property(setting, fc.nat(3), (given, epoch) => {
        const { text, order } = orderOf(given);
        const { context, lanes } = given;
        const first = epoch * order.chunks * lanes;
        const seen: number[][] = Array.from({ length: lanes }, () => []);
        for (let chunk = 0; chunk < order.chunks; chunk++) {
          rowsOf(order.batchAt(first + chunk * lanes, lanes)).forEach(({ tokens }, lane) => seen[lane]?.push(...tokens));
        }
        const start = order.startOf(first);
        const length = order.chunks * context;
        seen.forEach((stretch, lane) => expect(stretch).toEqual([...text.subarray(start + lane * length, start + (lane + 1) * length)]));
        expect(start + lanes * length).toBeLessThan(text.length);
        // What an epoch leaves out is less than two windows for each lane.
        expect(text.length - 1 - lanes * length).toBeLessThan((lanes + 1) * context);
      }),
    );
  });

  it('go on from step to step but where a reset says otherwise, which is at the first step of each epoch in every lane', () => {
    fc.assert(
      fc.property(setting, (given) => {
        const { order } = orderOf(given);
        const { context, lanes } = given;
        for (let step = 0; step < 2 * order.chunks + 1; step++) {
          const { resets } = order.batchAt(step * lanes, lanes);
          expect([...resets]).toEqual(new Array(lanes).fill(step % order.chunks === 0 ? 1 : 0));
          for (let lane = 0; lane < lanes && resets[lane] === 0; lane++) {
            expect(order.startOf(step * lanes + lane)).toBe(order.startOf((step - 1) * lanes + lane) + context);
          }
        }
      }),
    );
  });

  it('give the next token as target, stay inside the text, and are a function of seed and position, however they are grouped', () => {
    fc.assert(
      fc.property(setting, fc.nat(100), fc.integer({ min: 1, max: 7 }), (given, position, windows) => {
        const { text, order } = orderOf(given);
        const again = orderOf(given).order;
        const rows = rowsOf(order.batchAt(position, windows));
        expect(rows).toEqual(Array.from({ length: windows }, (_, row) => again.batchAt(position + row, 1)).flatMap(rowsOf));
        rows.forEach(({ tokens, targets }, row) => {
          const start = order.startOf(position + row);
          expect(targets.slice(0, -1)).toEqual(tokens.slice(1));
          expect(targets.at(-1)).toBe(text[start + given.context]);
          expect(start + given.context).toBeLessThan(text.length);
        });
      }),
    );
  });

  it('begin elsewhere in every epoch and with every seed', () => {
    const starts = (seed: number) => {
      const order = new LaneOrder(textOf(5000), 16, seed, 4);
      return Array.from({ length: 20 }, (_, epoch) => order.startOf(epoch * order.chunks * 4));
    };
    expect(new Set(starts(1)).size).toBeGreaterThan(10);
    expect(starts(2)).not.toEqual(starts(1));
  });

  it('need two windows of text each: less is refused, with what would do', () => {
    expect(new LaneOrder(textOf(2 * 4 * 16 + 1), 16, 0, 4).chunks).toBe(2);
    const refusal = (() => {
      try {
        chunksPerLane(2 * 4 * 16, 16, 4);
        return undefined;
      } catch (error) {
        return error;
      }
    })();
    expect(refusal).toBeInstanceOf(DataError);
    const { message, advice, configPath } = refusal as DataError;
    expect(message).toContain('128 tokens, too few for 4 lanes');
    expect(message).toContain('129 tokens');
    expect(advice).toContain('train.batch_tokens');
    expect(configPath).toEqual(['data', 'train']);
  });
});

describe('validation in one lane', () => {
  it('scores every token but the first exactly once, in order, each predicted from the one before it; only the end is filled up', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 17 }), (text, context) => {
        const batches = [...laneBatches(text, context)];
        const count = scoredTokens(text);
        expect(batches).toHaveLength(Math.ceil(count / context));
        for (const [index, { batch, time, tokens, targets, resets }] of batches.entries()) {
          expect([batch, time, tokens.length, targets.length]).toEqual([1, context, context, context]);
          expect([...resets]).toEqual([index === 0 ? 1 : 0]);
        }
        const tokens = batches.flatMap((batch) => [...batch.tokens]);
        const targets = batches.flatMap((batch) => [...batch.targets]);
        expect(tokens.slice(0, count)).toEqual([...text.subarray(0, count)]);
        expect(targets.slice(0, count)).toEqual([...text.subarray(1)]);
        expect(tokens.slice(count).every((token) => token === 0)).toBe(true);
        expect(targets.slice(count).every((target) => target === -1)).toBe(true);
      }),
    );
  });
});
