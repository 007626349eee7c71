/** sRGB, 0 to 255. */
export type Rgb = readonly [number, number, number];

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

/** `amount` 0 is `from`, 1 is `to`. */
export function mix(from: Rgb, to: Rgb, amount: number): Rgb {
  const channel = (index: 0 | 1 | 2) => Math.round(from[index] + (to[index] - from[index]) * amount);
  return [channel(0), channel(1), channel(2)];
}

/** What the theme's variables hold: #rgb, #rrggbb, #rrggbbaa, rgb() and rgba(); null for anything else. Transparency is left out. */
export function parseColour(text: string): Rgb | null {
  const hex = /^#([0-9a-f]{3,8})$/i.exec(text.trim())?.[1];
  if (hex !== undefined) {
    const digits = hex.length < 6 ? [...hex].map((digit) => digit + digit).join('') : hex;
    return [0, 2, 4].map((at) => Number.parseInt(digits.slice(at, at + 2), 16)) as unknown as Rgb;
  }
  const channels =
    /^rgba?\(([^)]+)\)$/i
      .exec(text.trim())?.[1]
      ?.split(/[\s,/]+/)
      .map(Number) ?? [];
  const [red, green, blue] = channels;
  return red === undefined || green === undefined || blue === undefined || channels.some(Number.isNaN) ? null : [red, green, blue];
}

export function css([red, green, blue]: Rgb): string {
  return `rgb(${red}, ${green}, ${blue})`;
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
