import { describe, expect, it } from 'vitest';
import { experimentSchema, type ModelConfig, type MoeConfig } from '../../src/config/schema';
import { load } from '../config/memoryFiles';
import { AblationError, expertShape } from '../../src/models/ablation';

function configured(d: number, moe: Record<string, unknown>, activation = 'swiglu'): { model: ModelConfig; moe: MoeConfig } {
  const { model } = experimentSchema.parse({
    model: {
      d_model: d,
      layers: 2,
      context: 8,
      attention: { heads: 2 },
      ffn: { width: 8, activation },
      moe: { kind: 'mh-moe', ablation: 'iso_mac', ...moe },
    },
  });
  if (model.moe === undefined) throw new TypeError('The model is routed.');
  return { model, moe: model.moe };
}

const twoHeads = { heads: 2, experts: 40, top_k: 2, expert_width: 768 };
const choices = [
  { head_layer: false, merge_layer: false },
  { head_layer: true, merge_layer: false },
  { head_layer: false, merge_layer: true },
  { head_layer: true, merge_layer: true },
] as const;

describe('the experts of the iso-MAC ablation', () => {
  it.each([
    { ...choices[0], shape: { experts: 31, width: 1024 } },
    { ...choices[1], shape: { experts: 35, width: 896 } },
    { ...choices[2], shape: { experts: 35, width: 896 } },
    { ...choices[3], shape: { experts: 40, width: 768 } },
  ])('h=2 of 2411.16205, head layer $head_layer, merge layer $merge_layer', ({ shape, ...projections }) => {
    const { model, moe } = configured(768, { ...twoHeads, ...projections });
    expect(expertShape(model, moe)).toEqual(shape);
  });

  it('keep the MACs equal, and no other number of them is nearer in parameters', () => {
    let checked = 0;
    for (const activation of ['swiglu', 'relu']) {
      for (const [d, heads] of [
        [24, 2],
        [24, 3],
        [48, 4],
        [60, 1],
      ] as const) {
        for (const k of [1, 2, 3]) {
          for (const projections of choices) {
            const [experts, f, n] = [k === 3 ? 3 : 11, 7, activation === 'swiglu' ? 3 : 2];
            const { model, moe } = configured(d, { heads, experts, top_k: k, expert_width: f, ...projections }, activation);
            const kept = Number(projections.head_layer) + Number(projections.merge_layer);
            if (((2 - kept) * d) % (n * k) !== 0) {
              expect(() => expertShape(model, moe)).toThrow(AblationError);
              continue;
            }
            const shape = expertShape(model, moe);
            expect(n * d * shape.width * k + kept * d * d).toBe(n * d * f * k + 2 * d * d);
            const parameters = (count: number): number => kept * d * d + n * (d / heads) * shape.width * count;
            const distance = (count: number): number => Math.abs(parameters(count) - (2 * d * d + n * (d / heads) * f * experts));
            expect(shape.experts).toBeGreaterThanOrEqual(k);
            expect(distance(shape.experts)).toBeLessThanOrEqual(distance(shape.experts + 1));
            expect(distance(shape.experts)).toBeLessThanOrEqual(distance(shape.experts - 1));
            checked += 1;
          }
        }
      }
    }
    expect(checked).toBeGreaterThan(40);
  });

  it('say what to change where no whole width fits', () => {
    const { model, moe } = configured(100, { ...twoHeads, ...choices[1] });
    expect(() => expertShape(model, moe)).toThrow(/100 \/ 6, which is not a whole number\. Choose a d_model or top_k that divides/);
  });
});

it('is refused by the config exactly where no whole width fits', () => {
  const refused = (d: number, k: number, projections: (typeof choices)[number], activation: string): boolean => {
    const moe = { kind: 'mh-moe', heads: 2, experts: 40, top_k: k, expert_width: 7, ablation: 'iso_mac', ...projections };
    const model = { d_model: d, layers: 2, context: 8, attention: { heads: 2 }, ffn: { width: 8, activation }, moe };
    const { findings } = load(JSON.stringify({ model }));
    return findings.some(({ code, severity }) => code === 'iso-mac-width' && severity === 'error');
  };
  const seen = new Set<boolean>();
  for (const activation of ['swiglu', 'relu']) {
    for (const d of [24, 32, 36]) {
      for (const k of [1, 2, 3, 5]) {
        for (const projections of choices) {
          const { model, moe } = configured(d, { heads: 2, experts: 40, top_k: k, expert_width: 7, ...projections }, activation);
          const isRefused = refused(d, k, projections, activation);
          seen.add(isRefused);
          if (isRefused) expect(() => expertShape(model, moe)).toThrow(AblationError);
          else expect(expertShape(model, moe).width).toBeGreaterThanOrEqual(7);
        }
      }
    }
  }
  expect(seen.size).toBe(2);
});

describe('the experts as the config says', () => {
  it.each([
    { name: 'remove_only', moe: { ...twoHeads, ...choices[0], ablation: 'remove_only' } },
    { name: 'smoe', moe: { ...twoHeads, kind: 'smoe', heads: 1, ...choices[0] } },
  ])('$name', ({ moe }) => {
    const { model, moe: parsed } = configured(768, moe);
    expect(expertShape(model, parsed)).toEqual({ experts: 40, width: 768 });
  });
});
