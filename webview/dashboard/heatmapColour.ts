import { mix, parseColour, type Rgb } from '../shared/colour';

export interface HeatmapPalette {
  /** Experts that get nothing, or an eighth of their even share. */
  readonly cold: Rgb;
  /** Exactly the even share, 1/E. */
  readonly even: Rgb;
  /** Eight times the even share and more. */
  readonly hot: Rgb;
}

/** The scale ends at 2^-SPAN and 2^SPAN times the even share: it is logarithmic, so that half and double look equally far from even. */
export const SPAN = 3;

/** Place on the scale, -1 to 1, of a share `ratio` times as large as the even one. */
export function scalePosition(ratio: number): number {
  if (ratio <= 0) return -1;
  return Math.max(-1, Math.min(1, Math.log2(ratio) / SPAN));
}

export function ratioColour(ratio: number, palette: HeatmapPalette): Rgb {
  const position = scalePosition(ratio);
  return mix(palette.even, position < 0 ? palette.cold : palette.hot, Math.abs(position));
}

/** Even lies near the background, a little towards the foreground, so that only what is uneven catches the eye. */
export function paletteOf(colours: {
  readonly cold: string;
  readonly hot: string;
  readonly background: string;
  readonly foreground: string;
}): HeatmapPalette {
  const background = parseColour(colours.background) ?? [30, 30, 30];
  const foreground = parseColour(colours.foreground) ?? [204, 204, 204];
  return {
    cold: parseColour(colours.cold) ?? [55, 148, 255],
    even: mix(background, foreground, 0.16),
    hot: parseColour(colours.hot) ?? [209, 134, 22],
  };
}
