/**
 * Milliseconds of a fixed amount of work in this engine on this machine, so that times from different machines can be compared as ratios.
 */
export function calibration(): number {
  const times = Array.from({ length: 30 }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  });
  return percentile(times, 0.5);
}

/** Small objects, strings and numbers, as programs about configs have them. */
function work(): number {
  let sum = 0;
  const counts = new Map<string, number>();
  for (let index = 0; index < 20_000; index++) {
    const key = `layers.${index % 97}.weight`;
    counts.set(key, (counts.get(key) ?? 0) + index);
    sum = (sum * 31 + key.length + index) % 1_000_003;
  }
  return sum + counts.size;
}

/**
 * Processor time of this process so far, in milliseconds: on a busy machine it says what was spent, where a clock says what was waited for.
 */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}
