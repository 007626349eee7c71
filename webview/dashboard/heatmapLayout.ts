/** Where the cells of a heatmap lie, in CSS pixels of the canvas. */
export interface HeatmapLayout {
  readonly width: number;
  readonly height: number;
  /** Left edge of the first column, right of the rows' names. */
  readonly left: number;
  readonly top: number;
  readonly cellWidth: number;
  readonly cellHeight: number;
  /** Space between cells, part of the cell. */
  readonly gap: { readonly across: number; readonly down: number };
  /** Cells of each row. */
  readonly columns: readonly number[];
}

export interface Cell {
  readonly row: number;
  readonly column: number;
}

const widestCell = 48;
const narrowestCell = 3;
const axisHeight = 22;

/** Rows that are to be told apart: as high as cells are wide, within bounds. */
const fewRows: RowHeight = (_, cellWidth) => Math.max(16, Math.min(30, cellWidth));
/** Many rows, of which the picture counts: together about 400 pixels. */
export const manyRows: RowHeight = (rows) => Math.max(3, Math.min(30, Math.floor(400 / Math.max(1, rows))));

type RowHeight = (rows: number, cellWidth: number) => number;

/** `labelWidth`: of the longest row name. Cells have whole pixels; below the narrowest cell the canvas becomes wider than `available`. */
export function layoutHeatmap(
  available: number,
  labelWidth: number,
  columns: readonly number[],
  rowHeight: RowHeight = fewRows,
): HeatmapLayout {
  const most = Math.max(1, ...columns);
  const left = Math.ceil(Math.min(labelWidth + 10, available * 0.42));
  const cellWidth = Math.max(narrowestCell, Math.min(widestCell, Math.floor((available - left - 1) / most)));
  const cellHeight = rowHeight(columns.length, cellWidth);
  const top = 2;
  return {
    width: left + cellWidth * most + 1,
    height: top + cellHeight * columns.length + axisHeight,
    left,
    top,
    cellWidth,
    cellHeight,
    gap: { across: cellWidth >= 6 ? 1 : 0, down: cellHeight >= 6 ? 1 : 0 },
    columns,
  };
}

export function cellAt(layout: HeatmapLayout, x: number, y: number): Cell | null {
  const row = Math.floor((y - layout.top) / layout.cellHeight);
  const column = Math.floor((x - layout.left) / layout.cellWidth);
  return column >= 0 && column < (layout.columns[row] ?? 0) ? { row, column } : null;
}

export function cellBox(layout: HeatmapLayout, { row, column }: Cell): { x: number; y: number; width: number; height: number } {
  return {
    x: layout.left + column * layout.cellWidth,
    y: layout.top + row * layout.cellHeight,
    width: layout.cellWidth - layout.gap.across,
    height: layout.cellHeight - layout.gap.down,
  };
}

/** Where a key moves the cursor; null for keys that do not. Rows may have different numbers of cells. */
export function moveCell(layout: HeatmapLayout, from: Cell, key: string): Cell | null {
  const last = (row: number) => (layout.columns[row] ?? 1) - 1;
  const at = (row: number, column: number): Cell => {
    const within = Math.max(0, Math.min(layout.columns.length - 1, row));
    return { row: within, column: Math.max(0, Math.min(last(within), column)) };
  };
  switch (key) {
    case 'ArrowLeft':
      return at(from.row, from.column - 1);
    case 'ArrowRight':
      return at(from.row, from.column + 1);
    case 'ArrowUp':
      return at(from.row - 1, from.column);
    case 'ArrowDown':
      return at(from.row + 1, from.column);
    case 'Home':
      return at(from.row, 0);
    case 'End':
      return at(from.row, last(from.row));
    default:
      return null;
  }
}

/** Columns whose number is written below: every 1, 2, 5, 10, ... so that two numbers are at least `spacing` pixels apart. */
export function axisTicks(layout: HeatmapLayout, spacing: number): readonly number[] {
  const columns = Math.max(0, ...layout.columns);
  const steps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];
  const step = steps.find((candidate) => candidate * layout.cellWidth >= spacing) ?? columns;
  return Array.from({ length: Math.ceil(columns / step) }, (_, index) => index * step);
}

/** Rows whose name is written: as many as have `spacing` pixels each. */
export function namedRows(layout: HeatmapLayout, spacing: number): readonly number[] {
  const step = Math.max(1, Math.ceil(spacing / layout.cellHeight));
  return Array.from({ length: Math.ceil(layout.columns.length / step) }, (_, index) => index * step);
}
