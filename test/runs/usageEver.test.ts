import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sketchOf } from '../../src/runs/sketch';
import { UsageEver } from '../../src/runs/usageEver';

const experts = 37;
const history = fc.array(fc.record({ back: fc.nat(4), chosen: fc.uniqueArray(fc.nat(experts - 1)) }), { maxLength: 30 });

it('counts what was used in the frames that still hold, over any history of steps and resumes', () => {
  fc.assert(
    fc.property(history, (events) => {
      const ever = new UsageEver(experts);
      const held = new Map<number, readonly number[]>();
      let step = 0;
      for (const { back, chosen } of events) {
        const to = Math.max(0, step - back);
        for (let lost = to + 1; lost <= step; lost++) held.delete(lost);
        if (back > 0) ever.rewind(to);
        step = to + 1;
        held.set(step, chosen);
        ever.add({ step, used: sketchOf(Float64Array.from({ length: experts }, (_, expert) => (chosen.includes(expert) ? 1 : 0))).used });
        expect(ever.used).toBe(new Set([...held.values()].flat()).size);
      }
    }),
  );
});
