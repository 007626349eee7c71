/** Where the cells of the heatmap lie, in CSS pixels of the canvas. Rows are routed layers, columns experts. */
export interface HeatmapLayout {
  readonly width: number;
  readonly height: number;
  /** Left edge of the first column, right of the layers' names. */
  readonly left: number;
  readonly top: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  /** Space between cells, part of the cell. */
  readonly gap: number;
  /** Experts of each layer. */
  readonly experts: readonly number[];
}

export interface Cell {
  /** Row: index of the routed layer. */
  readonly layer: number;
  readonly expert: number;
}

const widestCell = 48;
const narrowestCell = 3;
const axisHeight = 22;

/** `labelWidth`: of the longest layer name. Cells have whole pixels; below the narrowest cell the canvas becomes wider than `available`. */
export function layoutHeatmap(available: number, labelWidth: number, experts: readonly number[]): HeatmapLayout {
  const columns = Math.max(1, ...experts);
  const left = Math.ceil(Math.min(labelWidth + 10, available * 0.35));
  const cellWidth = Math.max(narrowestCell, Math.min(widestCell, Math.floor((available - left - 1) / columns)));
  const cellHeight = Math.max(16, Math.min(30, cellWidth));
  const top = 2;
  return {
    width: left + cellWidth * columns + 1,
    height: top + cellHeight * experts.length + axisHeight,
    left,
    top,
    cellWidth,
    cellHeight,
    gap: cellWidth >= 6 ? 1 : 0,
    experts,
  };
}

export function cellAt(layout: HeatmapLayout, x: number, y: number): Cell | null {
  const layer = Math.floor((y - layout.top) / layout.cellHeight);
  const expert = Math.floor((x - layout.left) / layout.cellWidth);
  return expert >= 0 && expert < (layout.experts[layer] ?? 0) ? { layer, expert } : null;
}

export function cellBox(layout: HeatmapLayout, { layer, expert }: Cell): { x: number; y: number; width: number; height: number } {
  return {
    x: layout.left + expert * layout.cellWidth,
    y: layout.top + layer * layout.cellHeight,
    width: layout.cellWidth - layout.gap,
    height: layout.cellHeight - 1,
  };
}

/** Where a key moves the cursor; null for keys that do not. Layers may have different numbers of experts. */
export function moveCell(layout: HeatmapLayout, from: Cell, key: string): Cell | null {
  const last = (layer: number) => (layout.experts[layer] ?? 1) - 1;
  const at = (layer: number, expert: number): Cell => {
    const row = Math.max(0, Math.min(layout.experts.length - 1, layer));
    return { layer: row, expert: Math.max(0, Math.min(last(row), expert)) };
  };
  switch (key) {
    case 'ArrowLeft':
      return at(from.layer, from.expert - 1);
    case 'ArrowRight':
      return at(from.layer, from.expert + 1);
    case 'ArrowUp':
      return at(from.layer - 1, from.expert);
    case 'ArrowDown':
      return at(from.layer + 1, from.expert);
    case 'Home':
      return at(from.layer, 0);
    case 'End':
      return at(from.layer, last(from.layer));
    default:
      return null;
  }
}

/** Columns whose number is written below: every 1, 2, 5, 10, ... so that two numbers are at least `spacing` pixels apart. */
export function axisTicks(layout: HeatmapLayout, spacing: number): readonly number[] {
  const columns = Math.max(0, ...layout.experts);
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
  const step = steps.find((candidate) => candidate * layout.cellWidth >= spacing) ?? columns;
  return Array.from({ length: Math.ceil(columns / step) }, (_, index) => index * step);
}
