const units = [
  ['s', 60],
  ['min', 60],
  ['h', 24],
  ['days', 365],
  ['years', Number.POSITIVE_INFINITY],
] as const;

/** Two digits at the most, for times that are estimated: `40 s`, `12 min`, `2.5 h`, `3 days`. */
export function durationText(seconds: number): string {
  let value = seconds;
  for (const [unit, size] of units) {
    // 59.7 s would else be shown as 60 s.
    const rounded = value < 9.95 && unit !== 's' ? Math.round(value * 10) / 10 : Math.round(value);
    if (rounded < size) return `${rounded} ${rounded === 1 && unit.endsWith('s') && unit !== 's' ? unit.slice(0, -1) : unit}`;
    value /= size;
  }
  return 'for ever';
}
