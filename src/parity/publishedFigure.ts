import type { PublishedFigure } from '../config/presets/preset';

const units: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, B: 1e9, G: 1e9 };

/** How a count stands to a figure in print. */
export interface Agreement {
  /** Counted over printed, minus 1. */
  readonly residual: number;
  /** Whether the count, rounded to the digits in print, is the figure. */
  readonly rounds: boolean;
}

/** `46.7 B` against 46,702,792,704. Throws RangeError for a figure that is none. */
export function agreement(counted: number, { printed }: PublishedFigure): Agreement {
  const [, digits, decimals = '', unit = ''] = /^([\d,]+)(?:\.(\d+))?(?: ([kMBG]))?$/.exec(printed) ?? [];
  const scale = units[unit];
  if (digits === undefined || scale === undefined) throw new RangeError(`${printed} is no figure such as 46.7 B.`);
  const value = Number(`${digits.replaceAll(',', '')}.${decimals}`) * scale;
  const lastDigit = scale / 10 ** decimals.length;
  return { residual: counted / value - 1, rounds: Math.abs(counted - value) <= lastDigit / 2 };
}
