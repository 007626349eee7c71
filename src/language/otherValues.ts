import { describeKey } from '../config/describeKey';
import type { Experiment, ModelConfig } from '../config/schema';
import type { KeyPath } from '../config/yamlTree';
import { valueAt } from '../config/keyValues';

/**
 * What a key could say instead: of a few words the others, of a number the next ones on both sides that suit the other sizes. In order, its
 * own included.
 */
export function valuesAround({ model }: Experiment, path: KeyPath): readonly (string | number | boolean)[] {
  const value = valueAt({ model }, path);
  if (typeof value === 'boolean') return [true, false];
  if (typeof value === 'string') return describeKey(path)?.choices ?? [];
  if (typeof value !== 'number' || !Number.isInteger(value)) return [];
  return numbersAround(model, path.join('.'), value);
}

/** How many values are shown on each side. */
const each = 2;

function numbersAround(model: ModelConfig, path: string, value: number): readonly number[] {
  const { attention, moe, d_model: d } = model;
  switch (path) {
    case 'model.moe.heads':
      return divisorsAround(d, value);
    case 'model.attention.heads':
      return attention.head_width === undefined ? divisorsAround(d, value) : stepsAround(value, 1);
    case 'model.attention.kv_heads':
      return divisorsAround(attention.heads, value);
    case 'model.d_model':
      // Also for heads of an even width, which rope needs.
      return stepsAround(value, leastCommonMultiple(2 * attention.heads, moe?.heads ?? 1));
    case 'model.product_keys.experts':
      return [Math.sqrt(value) / 2, Math.sqrt(value), 2 * Math.sqrt(value)].filter(Number.isInteger).map((root) => root ** 2);
    case 'model.vocabulary':
    case 'model.context':
      return [value / 2, value, 2 * value].filter(Number.isInteger);
    default:
      return stepsAround(value, stepOf(path, value));
  }
}

/** Widths go by 8, as hardware likes them, where they do so already. */
function stepOf(path: string, value: number): number {
  if (!/width$/.test(path)) return 1;
  if (value > 0 && value % 64 === 0) return 64;
  return value % 8 === 0 ? 8 : path.endsWith('key_width') ? 2 : 1;
}

function stepsAround(value: number, step: number): readonly number[] {
  return Array.from({ length: 2 * each + 1 }, (_, index) => value + (index - each) * step).filter((number) => number >= 0);
}

function divisorsAround(n: number, value: number): readonly number[] {
  const divisors: number[] = [];
  for (let divisor = 1; divisor * divisor <= n; divisor += 1) if (n % divisor === 0) divisors.push(divisor, n / divisor);
  const others = [...new Set(divisors)].sort((a, b) => a - b);
  const below = others.filter((divisor) => divisor < value).slice(-each);
  return [...below, value, ...others.filter((divisor) => divisor > value).slice(0, each)];
}

function leastCommonMultiple(a: number, b: number): number {
  const greatest = (x: number, y: number): number => (y === 0 ? x : greatest(y, x % y));
  return (a * b) / greatest(a, b);
}
