/** What people write for a time and for an amount of memory. */

const seconds: Readonly<Record<string, number>> = { s: 1, sec: 1, m: 60, min: 60, h: 3600, d: 86_400 };
const bytes: Readonly<Record<string, number>> = {
  b: 1,
  k: 2 ** 10,
  kib: 2 ** 10,
  kb: 1e3,
  m: 2 ** 20,
  mib: 2 ** 20,
  mb: 1e6,
  g: 2 ** 30,
  gib: 2 ** 30,
  gb: 1e9,
  t: 2 ** 40,
  tib: 2 ** 40,
  tb: 1e12,
};

/** `30m`, `1.5 h`, `90` in seconds; undefined where it is no time. */
export function secondsIn(text: string): number | undefined {
  return amountIn(text, seconds);
}

/**
 * `4GiB`, `500 MB`, `2g` in bytes, where a letter alone is a power of 1024; undefined where it is no amount: nobody who writes `24` means
 * bytes.
 */
export function bytesIn(text: string): number | undefined {
  return /[a-z]/i.test(text) ? amountIn(text, bytes) : undefined;
}

function amountIn(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*$/i.exec(text) ?? [];
  const factor = unit === '' ? 1 : Object.hasOwn(units, unit.toLowerCase()) ? units[unit.toLowerCase()] : undefined;
  const amount = digits === undefined || factor === undefined ? Number.NaN : Number(digits) * factor;
  return amount > 0 && Number.isFinite(amount) ? amount : undefined;
}

/** `30m`, `4GiB` or `30m, 4GiB`, where `m` is minutes; undefined where it is neither. */
export function budgetIn(text: string): { readonly seconds?: number; readonly bytes?: number } | undefined {
  const parts = text.split(/[,;]/).map((part) => part.trim());
  let budget: { readonly seconds?: number; readonly bytes?: number } = {};
  for (const part of parts) {
    // A number alone says nothing of what.
    const time = /\d\s*[a-z]/i.test(part) ? secondsIn(part) : undefined;
    const memory = time === undefined ? bytesIn(part) : undefined;
    if (time !== undefined && budget.seconds === undefined) budget = { ...budget, seconds: time };
    else if (memory !== undefined && budget.bytes === undefined) budget = { ...budget, bytes: memory };
    else return undefined;
  }
  return budget;
}
