/** How far to look for a divisor: more than any model's width, and never noticeable. */
const searchLimit = 100_000;

/** The divisors of `n` nearest to `k`, one on each side where there is one, as text: `2 or 4`. */
export function nearestDivisors(n: number, k: number): string {
  return [nearestDivisor(n, Math.min(k, n + 1), -1), nearestDivisor(n, k, 1)].filter((divisor) => divisor !== undefined).join(' or ');
}

function nearestDivisor(n: number, from: number, step: 1 | -1): number | undefined {
  for (let tried = 1; tried <= searchLimit; tried += 1) {
    const candidate = from + step * tried;
    if (candidate < 1 || candidate > n) return undefined;
    if (n % candidate === 0) return candidate;
  }
  return undefined;
}

/** The divisor of `n` nearest to `k`, which is none itself, of at most `most`; the smaller of two as near. */
export function nearestDivisorUpTo(n: number, k: number, most: number): number | undefined {
  const below = nearestDivisor(n, Math.min(k, n + 1, most + 1), -1);
  const above = nearestDivisor(n, k, 1);
  if (above === undefined || above > most) return below;
  return below === undefined || above - k < k - below ? above : below;
}

/** The multiples of `k` nearest to `n`, as text: `6144 or 8192`. */
export function nearestMultiples(n: number, k: number): string {
  const below = Math.floor(n / k) * k;
  return [below, below + k].filter((multiple) => multiple > 0).join(' or ');
}
