/** How figures are written: enough digits to compare runs, no more. */

const missing = '–';

const integer = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export function count(value: number): string {
  return integer.format(value);
}

/** 4 significant digits and an SI letter: 15.5k, 3.412M. */
export function compact(value: number | null): string {
  if (value === null) return missing;
  for (const [scale, letter] of [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (Math.abs(value) >= scale) return `${trimmed(value / scale, 4)}${letter}`;
  }
  return trimmed(value, 4);
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
