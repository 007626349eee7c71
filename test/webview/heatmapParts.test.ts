import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeLayers, layerFigures } from '../../webview/dashboard/expertFigures';
import { paletteOf, ratioColour, scalePosition } from '../../webview/dashboard/heatmapColour';
import { axisTicks, cellAt, cellBox, layoutHeatmap, moveCell } from '../../webview/dashboard/heatmapLayout';
import { parseColour } from '../../webview/shared/colour';

const palette = { cold: [0, 0, 255], even: [100, 100, 100], hot: [255, 128, 0] } as const;

describe('colours', () => {
  test.each([
    { ratio: 1, position: 0 },
    { ratio: 2, position: 1 / 3 },
    { ratio: 0.5, position: -1 / 3 },
    { ratio: 8, position: 1 },
    { ratio: 100, position: 1 },
    { ratio: 0, position: -1 },
  ])('$ratio times the even share lies at $position', ({ ratio, position }) => expect(scalePosition(ratio)).toBeCloseTo(position, 12));

  test('the even share, none and eight times are the colours of the palette', () => {
    expect(ratioColour(1, palette)).toEqual(palette.even);
    expect(ratioColour(0, palette)).toEqual(palette.cold);
    expect(ratioColour(8, palette)).toEqual(palette.hot);
  });

  test('a larger share is never shown colder', () => {
    const ratio = fc.double({ min: 0, max: 20, noNaN: true });
    fc.assert(
      fc.property(ratio, ratio, (a, b) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)].map((each) => ratioColour(each, palette));
        expect((high?.[0] ?? 0) >= (low?.[0] ?? 0)).toBe(true);
        expect((high?.[2] ?? 0) <= (low?.[2] ?? 0)).toBe(true);
      }),
    );
  });

  test.each([
    ['#1f1f1f', [31, 31, 31]],
    ['#fff', [255, 255, 255]],
    ['#3794ff80', [55, 148, 255]],
    ['rgba(111, 195, 223, 0.6)', [111, 195, 223]],
    ['rgb(1 2 3)', [1, 2, 3]],
    ['var(--x)', null],
    ['', null],
  ])('reads the colour %s', (text, expected) => expect(parseColour(text)).toEqual(expected));

  test('a theme without the variables still has a palette', () => {
    const { cold, even, hot } = paletteOf({ cold: '', hot: '', background: '', foreground: '' });
    expect(new Set([cold, even, hot].map(String)).size).toBe(3);
  });
});

describe('layout', () => {
  const layout = layoutHeatmap(800, 80, [16, 8]);

  test('every point of a cell finds that cell', () => {
    for (const cell of [
      { row: 0, column: 0 },
      { row: 0, column: 15 },
      { row: 1, column: 7 },
    ]) {
      const box = cellBox(layout, cell);
      expect(cellAt(layout, box.x, box.y)).toEqual(cell);
      expect(cellAt(layout, box.x + box.width - 0.5, box.y + box.height - 0.5)).toEqual(cell);
    }
  });

  test('beside the cells there is none', () => {
    expect(cellAt(layout, 10, 10)).toBeNull();
    expect(cellAt(layout, cellBox(layout, { row: 1, column: 8 }).x + 2, cellBox(layout, { row: 1, column: 0 }).y + 2)).toBeNull();
    expect(cellAt(layout, layout.left + 1, layout.height - 1)).toBeNull();
  });

  test('it fits the width while cells can be seen, and grows beyond it after that', () => {
    expect(layoutHeatmap(800, 80, [64]).width).toBeLessThanOrEqual(800);
    expect(layoutHeatmap(800, 80, [4096])).toMatchObject({ cellWidth: 3 });
    expect(layoutHeatmap(800, 80, [4096]).width).toBeGreaterThan(4096);
  });

  test('the cursor stays on cells, whatever the keys', () => {
    const key = fc.constantFrom('ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End');
    fc.assert(
      fc.property(fc.array(key, { maxLength: 60 }), (keys) => {
        const end = keys.reduce((cell, each) => moveCell(layout, cell, each) ?? cell, { row: 0, column: 0 });
        const box = cellBox(layout, end);
        expect(cellAt(layout, box.x, box.y)).toEqual(end);
      }),
    );
    expect(moveCell(layout, { row: 0, column: 12 }, 'ArrowDown')).toEqual({ row: 1, column: 7 });
    expect(moveCell(layout, { row: 0, column: 0 }, 'a')).toBeNull();
  });

  test('numbers below the columns do not touch', () => {
    for (const experts of [4, 40, 400, 4096]) {
      const wide = layoutHeatmap(800, 80, [experts]);
      const [first = 0, second = Number.POSITIVE_INFINITY] = axisTicks(wide, 36);
      expect((second - first) * wide.cellWidth).toBeGreaterThanOrEqual(36);
    }
  });
});

describe('figures', () => {
  const run = {
    routedLayers: [
      { name: 'layer 1', experts: 4, k: 2, varies: false, heads: null },
      { name: 'layer 3', experts: 2, k: 1, varies: false, heads: null },
    ],
  };
  const frame = { run: '/a', fromStep: 0, step: 1, layers: [{ layer: 0, counts: Float32Array.of(6, 2, 0, 0).buffer }] };

  test('share and times uniform', () => {
    const [first, second] = layerFigures(run, frame);
    expect(first?.experts.map(({ share }) => share)).toEqual([0.75, 0.25, 0, 0]);
    expect(first?.experts.map(({ timesUniform }) => timesUniform)).toEqual([3, 1, 0, 0]);
    expect(first?.experts[0]).toMatchObject({ count: 6, total: 8 });
    expect(second?.experts.map(({ share }) => share)).toEqual([0, 0]);
  });

  test('the sentence names the busiest expert and counts the unused', () => {
    expect(describeLayers(layerFigures(run, frame))).toContain(
      'layer 1: 4 experts, busiest is expert 0 with 3.00 times the even share, 2 unused.',
    );
  });
});
