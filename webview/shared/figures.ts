/** How figures are written: enough digits to compare runs, no more. */

const missing = '–';

const integer = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export function count(value: number): string {
  return integer.format(value);
}

const units = ['', ' k', ' M', ' G', ' T'];

/** Four digits and a unit, as the editor's hints write amounts: `109.5 M`, `1.502 M`, `940`. */
export function amount(value: number | null): string {
  if (value === null) return missing;
  const { scaled, unit } = inUnits(value);
  if (unit === '') return String(Math.round(scaled));
  return `${scaled.toFixed(scaled >= 99.995 ? 1 : scaled >= 9.9995 ? 2 : 3)}${unit}`;
}

/** The figure beside a tick of an axis, which is round: `1.5`, `200`, `1.5 k`, `20 M`. */
export function tick(value: number): string {
  const { scaled, unit } = inUnits(value);
  return `${trimmed(scaled, 4)}${unit}`;
}

function inUnits(value: number): { readonly scaled: number; readonly unit: string } {
  let index = 0;
  let scaled = value;
  // 999,950 would otherwise be shown as 1000.0 k.
  while (index < units.length - 1 && scaled >= (index === 0 ? 1000 : 999.95)) {
    scaled /= 1000;
    index++;
  }
  return { scaled, unit: units[index] ?? '' };
}

/** For what may be very small or very large: 0.0006, 1.02, 6.00e-7. */
export function significant(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-4 || size >= 1e5) ? value.toExponential(2) : trimmed(value, 4);
}

export function perplexity(value: number | null): string {
  if (value === null) return missing;
  return value < 1e6 ? value.toFixed(value < 100 ? 3 : 1) : value.toExponential(2);
}

export function bitsPerByte(value: number | null): string {
  return value === null ? missing : value.toFixed(4);
}

export function percent(fraction: number): string {
  return `${(100 * fraction).toFixed(2)} %`;
}

/** How far from a baseline, as the editor's hints write it: percent with two decimals and a sign, but for zero. */
export function residual(fraction: number): string {
  const digits = Math.abs(100 * fraction).toFixed(2);
  const sign = Number(digits) === 0 ? '' : fraction < 0 ? '\u2212' : '+';
  return `${sign}${digits} %`;
}

/** A share beside a tick of an axis: `0 %`, `2.5 %`, `40 %`. */
export function percentTick(fraction: number): string {
  return `${trimmed(100 * fraction, 3)} %`;
}

export function timesUniform(ratio: number): string {
  return `${ratio.toFixed(2)}×`;
}

/** 42 s, 3:07 min, 1:02:09 h. */
export function duration(seconds: number): string {
  if (seconds < 60) return `${trimmed(seconds, 3)} s`;
  const whole = Math.round(seconds);
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60].map(String);
  const [hours = '0', minutes = '0', rest = '0'] = parts;
  return hours === '0' ? `${minutes}:${rest.padStart(2, '0')} min` : `${hours}:${minutes.padStart(2, '0')}:${rest.padStart(2, '0')} h`;
}

function trimmed(value: number, digits: number): string {
  return String(Number(value.toPrecision(digits)));
}
