import type { PointStyle } from 'chart.js';

/** How the line of a validation set is told from another of the same run, and so of the same colour: by its marker and its dashes. */
export interface LineStyle {
  readonly marker: PointStyle;
  /** Pixels drawn and left out; empty is solid. */
  readonly dash: readonly number[];
  /** The marker as an SVG path about the origin, for the legend. */
  readonly shape: string;
}

const circle: LineStyle = { marker: 'circle', dash: [], shape: 'M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0z' };
const styles: readonly LineStyle[] = [
  circle,
  { marker: 'triangle', dash: [9, 4], shape: 'M0 -4L4 3H-4z' },
  { marker: 'rect', dash: [2, 3], shape: 'M-3 -3H3V3H-3z' },
  { marker: 'rectRot', dash: [9, 3, 2, 3], shape: 'M0 -4.5L4.5 0L0 4.5L-4.5 0z' },
  { marker: 'star', dash: [5, 2], shape: 'M-4 0H4M0 -4V4M-3 -3L3 3M-3 3L3 -3' },
];

export function lineStyle(set: number): LineStyle {
  return styles[set % styles.length] ?? circle;
}

/** Markers that a line bears at least, where it has the points. */
const MARKERS = 8;

/**
 * Whether point `index` of `count` bears a marker: every one of a short line, of a longer one every 2nd, 4th, 8th, so that markers do not
 * hide the line and stay on their points while it grows.
 */
export function bearsMarker(index: number, count: number): boolean {
  const stride = 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, count / MARKERS))));
  return index % stride === 0;
}
