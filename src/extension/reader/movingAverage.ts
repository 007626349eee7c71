/** The average looks back over at most this many values, */
const WINDOW = 20;
/** and over a tenth of those there are, so that it does not lag behind the steep start of a training. */
const FRACTION = 0.1;

/** A running average whose window grows with the series, as in polynomial-decay averaging (Shamir and Zhang, 1212.1824, section 4). */
export class MovingAverage {
  private average = 0;
  private count = 0;

  add(value: number): number {
    this.count++;
    const window = Math.min(WINDOW, Math.max(1, this.count * FRACTION));
    this.average += (value - this.average) / window;
    return this.average;
  }

  /** Goes on from the average of `count` values; none starts anew. */
  reset(average: number, count: number): void {
    this.average = average;
    this.count = count;
  }
}
