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
  return multiplesNearest(n, k).join(' or ');
}

export function multiplesNearest(n: number, k: number): readonly number[] {
  const below = Math.floor(n / k) * k;
  return [below, below + k].filter((multiple) => multiple > 0);
}

/** The whole numbers nearest to `from` that `fits` takes, of at least 1 and at most `most`: one below and one above, where there is one. */
export function nearestThatFit(from: number, most: number, fits: (candidate: number) => boolean): readonly number[] {
  return ([-1, 1] as const).flatMap((step) => nearestThatFits(from, most, step, fits) ?? []);
}

function nearestThatFits(from: number, most: number, step: 1 | -1, fits: (candidate: number) => boolean): number | undefined {
  const start = step < 0 ? Math.min(from, most + 1) : Math.max(from, 0);
  for (let tried = 1; tried <= searchLimit; tried += 1) {
    const candidate = start + step * tried;
    if (candidate < 1 || candidate > most) return undefined;
    if (fits(candidate)) return candidate;
  }
  return undefined;
}
