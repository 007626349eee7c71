import { describe, expect, it } from 'vitest';
import { movedToRouter, withKeysMovedToRouter } from '../../src/config/movedKeys';
import { readResolvedExperiment } from '../../src/config/resolvedExperiment';
import { experimentSchema } from '../../src/config/schema';

const model = { d_model: 8, layers: 2, context: 4, attention: { heads: 2 }, ffn: { width: 8 } };
const moe = { kind: 'smoe', experts: 4, top_k: 2, expert_width: 8 };
/** As version 0.1.0 resolved a config: no router yet. */
const old = { model: { ...model, moe: { ...moe, every: 2, heads: 1, renormalize: true, balance_weight: 0.03 } } };

describe('keys that moved into the router', () => {
  it('are read where they are now', () => {
    const { experiment } = readResolvedExperiment(old);
    expect(experiment).toEqual(
      experimentSchema.parse({ model: { ...model, moe: { ...moe, every: 2, router: { renormalize: true, balance_weight: 0.03 } } } }),
    );
  });

  it('give way to what the router says itself', () => {
    const both = { model: { ...model, moe: { ...moe, balance_weight: 0.03, router: { balance_weight: 0.5, jitter: 0.1 } } } };
    expect(readResolvedExperiment(both).experiment?.model.moe?.router).toMatchObject({ balance_weight: 0.5, jitter: 0.1 });
  });

  it('are the only ones that are touched, of anything that JSON can say', () => {
    for (const value of [undefined, null, 7, 'moe', [], {}, { model: null }, { model: { moe: [1] } }, { model: { ...model, moe } }])
      expect(withKeysMovedToRouter(value)).toBe(value);
    expect(withKeysMovedToRouter({ a: 1, model: { b: 2, moe: { c: 3, renormalize: 'x' } } })).toEqual({
      a: 1,
      model: { b: 2, moe: { c: 3, router: { renormalize: 'x' } } },
    });
    // The router has them under the same names.
    const { router } = readResolvedExperiment({ model: { ...model, moe } }).experiment?.model.moe ?? {};
    expect(Object.keys(router ?? {})).toEqual(expect.arrayContaining([...movedToRouter]));
  });
});

describe('a resolved config that is not understood', () => {
  it.each<[unknown, string]>([
    [undefined, ''],
    [{}, 'model'],
    [{ model: { ...model, mixer: {} } }, 'model.mixer'],
    [{ model: { ...model, d_model: 'wide' } }, 'model.d_model'],
    [{ model: { ...model, moe: { ...moe, router: { hash: true } } } }, 'model.moe.router.hash'],
    [{ model, data: { train: ['a.txt', 7] } }, 'data.train[1]'],
  ])('%j names its key', (value, key) => {
    expect(readResolvedExperiment(value)).toEqual({ experiment: undefined, key });
  });
});
