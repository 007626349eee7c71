/**
 * How many (unit, choice) pairs an expert may take: C = ceil(factor * k * U / E), with `pairs` = k * U (GShard, 2006.16668, section 2.2).
 * A product that is whole but for rounding counts as whole: 1.1 * 90 pairs for one expert are 99, not 100.
 */
export function expertCapacity(factor: number, pairs: number, experts: number): number {
  const exact = (factor * pairs) / experts;
  const nearest = Math.round(exact);
  return Math.abs(exact - nearest) <= 1e-9 * nearest ? nearest : Math.ceil(exact);
}

/** How many units each expert chooses: C = max(1, floor(k * U / E)) (expert choice, 2202.09368, section 3.2). */
export function expertChoiceCapacity(k: number, units: number, experts: number): number {
  return Math.max(1, Math.floor((k * units) / experts));
}
