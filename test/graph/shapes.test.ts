import { describe, expect, it } from 'vitest';
import type { RelativeAttentionOperands, Tensor } from '../../src/graph/builder';
import { ProgramBuilder } from '../../src/graph/builder';
import type { Shape } from '../../src/graph/dimensions';
import { ShapeError } from '../../src/graph/shapes';

type Build = (builder: ProgramBuilder, float: (...shape: Shape) => Tensor, int: (...shape: Shape) => Tensor) => readonly Tensor[];

function built(build: Build): string[] {
  const builder = new ProgramBuilder();
  const input =
    (dtype: 'float32' | 'int32') =>
    (...shape: Shape): Tensor =>
      builder.input(`${builder.values.length}`, shape, dtype);
  return build(builder, input('float32'), input('int32')).map(({ shape, dtype }) => `${dtype} [${shape.join(', ')}]`);
}

function relative(float: (...shape: Shape) => Tensor, changed: Partial<RelativeAttentionOperands> = {}): RelativeAttentionOperands {
  const part = (): Tensor => float('batch', 2, 'time', 4);
  const parts = { q: part(), k: part(), v: part(), memoryKeys: part(), memoryValues: part() };
  return { ...parts, positions: float(2, '2*time', 4), seen: float('batch'), ...changed };
}

describe('shapes', () => {
  it.each<[string, Build, readonly string[]]>([
    ['sinusoid', (b) => [b.sinusoid('2*time', 8)], ['float32 [2*time, 8]']],
    ['relativeAttention', (b, float) => [b.relativeAttention(relative(float), 1)], ['float32 [batch, 2, time, 4]']],
    [
      'relativeAttentionGradient',
      (b, float) => {
        const { q, k, v, memoryKeys, memoryValues, positions, seen } = relative(float);
        return b.node('relativeAttentionGradient', { scale: 1 }, [q, k, v, memoryKeys, memoryValues, positions, seen, q]);
      },
      [...new Array<string>(5).fill('float32 [batch, 2, time, 4]'), 'float32 [2, 2*time, 4]'],
    ],
    [
      'attentionImportance',
      (b, float) => {
        const q = float('batch', 2, 'time', 4);
        return [b.attentionImportance(q, q, { statistic: 'entropy', causal: true, scale: 1 })];
      },
      ['float32 [batch, time]'],
    ],
    ['topK', (b, float) => [b.topK(float('batch*time', 12), 2, 3)], ['int32 [batch*time, 6]']],
    [
      'productKeys',
      (b, float) => {
        const keys = b.productKeys(float('4*batch', 16), float('4*batch', 16), 3);
        return [keys.indices, keys.first, keys.second];
      },
      ['int32 [4*batch, 3]', 'int32 [4*batch, 3]', 'int32 [4*batch, 3]'],
    ],
    ['rowDot', (b, float, int) => [b.rowDot(float(100, 8), int('batch', 5), float('batch', 8))], ['float32 [batch, 5]']],
    ['rowSum', (b, float, int) => [b.rowSum(float(100, 8), int('batch', 5), float('batch', 5))], ['float32 [batch, 8]']],
    ['rowOuter', (b, float, int) => [b.rowOuter(int('batch', 5), float('batch', 5), float('batch', 8), 100)], ['float32 [100, 8]']],
    [
      'allocateChoices',
      (b, float) => [b.allocateChoices(float('batch', 'time'), { mean: 1.5, least: 1, most: 4, budget: true })],
      ['int32 [batch*time, 1]'],
    ],
    ['countUntil', (b, float) => [b.countUntil(float('units', 4), 0.5)], ['int32 [units, 1]']],
    [
      'firstChoices',
      (b, _, int) => {
        const { indices, kept } = b.firstChoices(int('units', 4), int('units', 1), 8);
        return [indices, kept];
      },
      ['int32 [units, 4]', 'float32 [units, 4]'],
    ],
  ])('of %s', (_, build, expected) => {
    expect(built(build)).toEqual(expected);
  });

  it.each<[string, Build, RegExp]>([
    ['sinusoid of an odd width', (b) => [b.sinusoid(4, 3)], /even width, not 3/],
    [
      'relativeAttention with positions of the window alone',
      (b, float) => [b.relativeAttention(relative(float, { positions: float(2, 'time', 4) }), 1)],
      /positions must be \[2, 2\*time, 4\], not \[2, time, 4\]/,
    ],
    [
      'relativeAttention with other keys',
      (b, float) => [b.relativeAttention(relative(float, { memoryKeys: float('batch', 1, 'time', 4) }), 1)],
      /differ/,
    ],
    [
      'relativeAttention that sees by token',
      (b, float) => [b.relativeAttention(relative(float, { seen: float('batch', 'time') }), 1)],
      /seen must be \[batch\]/,
    ],
    ...(['received', 'cls_row'] as const).map((statistic): [string, Build, RegExp] => [
      `attentionImportance by ${statistic}, causal`,
      (b, float) => {
        const q = float('batch', 2, 'time', 4);
        return [b.attentionImportance(q, q, { statistic, causal: true, scale: 1 })];
      },
      /reads later tokens/,
    ]),
    ['topK of unequal sections', (b, float) => [b.topK(float('units', 12), 2, 5)], /12 columns into 5 equal sections/],
    ['topK of more than a section has', (b, float) => [b.topK(float('units', 12), 5, 3)], /cannot choose 5 of 4/],
    [
      'productKeys of more than there are',
      (b, float) => [b.productKeys(float('u', 4), float('u', 4), 5).indices],
      /cannot take 5 of each 4/,
    ],
    [
      'productKeys of unlike halves',
      (b, float) => [b.productKeys(float('u', 4), float('u', 5), 2).indices],
      /must be \[u, 4\], not \[u, 5\]/,
    ],
    ['rowDot of float indices', (b, float) => [b.rowDot(float(9, 2), float('u', 3), float('u', 2))], /must be int32/],
    ['rowDot of another width', (b, float, int) => [b.rowDot(float(9, 2), int('u', 3), float('u', 4))], /x must be \[u, 2\]/],
    ['rowSum of other weights', (b, float, int) => [b.rowSum(float(9, 2), int('u', 3), float('u', 4))], /weights must be \[u, 3\]/],
    ['rowOuter of other units', (b, float, int) => [b.rowOuter(int('u', 3), float('u', 3), float('t', 2), 9)], /vectors must be \[u, d\]/],
    [
      'allocateChoices with a mean out of its bounds',
      (b, float) => [b.allocateChoices(float(1, 4), { mean: 1, least: 2, most: 3, budget: false })],
      /0 < least <= mean <= most, not 2, 1, 3/,
    ],
    [
      'firstChoices with a number for each choice',
      (b, _, int) => [b.firstChoices(int('u', 3), int('u', 3), 4).kept],
      /taken must be \[u, 1\]/,
    ],
    ['route of no share', (b, _, int) => [b.route(int('u', 3), 4, 0).slots], /share of its pairs in \(0, 1\], not 0/],
  ])('refuse %s', (_, build, message) => {
    expect(() => built(build)).toThrow(ShapeError);
    expect(() => built(build)).toThrow(message);
  });
});
