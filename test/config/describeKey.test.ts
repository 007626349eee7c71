import { describe, expect, it } from 'vitest';
import { describeKey } from '../../src/config/describeKey';
import { didYouMean, editDistance } from '../../src/config/editDistance';
import { nearestDivisors, nearestDivisorUpTo, nearestMultiples } from '../../src/config/divisibility';
import { experimentJsonSchema } from '../../src/config/jsonSchema';
import type { JsonSchema } from '../../src/config/jsonSchema';

describe('describeKey', () => {
  it('says what a key is, must be, and is when left out', () => {
    expect(describeKey(['model', 'moe', 'heads'])).toEqual({
      path: 'model.moe.heads',
      description: 'mh-moe: sub-tokens per token. d_model must be divisible by it.',
      type: 'a whole number of at least 1 and at most 65,536',
      required: false,
      default: 1,
      choices: [],
      keys: [],
    });
    expect(describeKey(['model', 'moe', 'kind'])).toMatchObject({ type: 'smoe or mh-moe', required: true, choices: ['smoe', 'mh-moe'] });
    expect(describeKey(['data', 'validation', 'prose', 0])).toMatchObject({
      path: 'data.validation.prose[0]',
      type: 'text that is not empty',
    });
    expect(describeKey([])?.keys).toContain('model');
  });

  it('knows no key that the schema does not', () => {
    for (const path of [['colour'], ['model', 'd_model', 'x'], ['__proto__'], ['constructor'], ['model', 'toString']]) {
      expect(describeKey(path)).toBeUndefined();
    }
  });

  it('every key has a description that ends as a sentence', () => {
    const undescribed = (schema: JsonSchema, path: string[]): string[] =>
      Object.entries(schema.properties ?? {}).flatMap(([key, child]) => [
        ...(/[.!]$/.test(child.description ?? '') ? [] : [[...path, key].join('.')]),
        ...undescribed(child, [...path, key]),
      ]);
    expect(undescribed(experimentJsonSchema(), [])).toEqual([]);
  });
});

describe('did you mean', () => {
  it('counts edits, a swap of neighbours as one', () => {
    expect(editDistance('exprets', 'experts')).toBe(1);
    expect(editDistance('wdith', 'widths')).toBe(2);
    expect(editDistance('topk', 'top_k')).toBe(1);
    expect(editDistance('', 'abc')).toBe(3);
    expect(editDistance('ab', 'ba')).toBe(1);
  });

  it('suggests what is close and nothing that is not', () => {
    const keys = ['d_model', 'layers', 'top_k', 'expert_width', 'experts'];
    expect(didYouMean('DModel', keys)).toBe('d_model');
    expect(didYouMean('expert-width', keys)).toBe('expert_width');
    expect(didYouMean('layer', keys)).toBe('layers');
    expect(didYouMean('colour', keys)).toBeUndefined();
  });
});

describe('what would divide', () => {
  it('is named on both sides where there is one', () => {
    expect(nearestDivisors(768, 5)).toBe('4 or 6');
    expect(nearestDivisors(7, 9)).toBe('7');
    expect(nearestDivisors(7, 3)).toBe('1 or 7');
    expect(nearestMultiples(8000, 2048)).toBe('6144 or 8192');
    expect(nearestMultiples(100, 2048)).toBe('2048');
  });

  it('up to a bound is the nearest that a search through all finds', () => {
    const searched = (n: number, k: number, most: number): number | undefined =>
      Array.from({ length: most }, (_, index) => index + 1)
        .filter((divisor) => divisor !== k && n % divisor === 0)
        .toSorted((a, b) => Math.abs(a - k) - Math.abs(b - k))[0];
    for (const n of [1, 7, 12, 88, 96])
      for (const k of [1, 2, 5, 7, 10, 40, 120])
        for (const most of [1, 3, 8, 100]) expect([n, k, most, nearestDivisorUpTo(n, k, most)]).toEqual([n, k, most, searched(n, k, most)]);
  });
});
