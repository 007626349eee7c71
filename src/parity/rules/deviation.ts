/** Of two residuals the one that is further from equal. */
export function furthest(one: number, other: number): number {
  return deviation(other) > deviation(one) ? other : one;
}

/** How far a residual is from equal: half as much is as far away as twice as much. */
export function deviation(fraction: number): number {
  return Math.abs(Math.log(Math.max(1 + fraction, Number.MIN_VALUE)));
}
