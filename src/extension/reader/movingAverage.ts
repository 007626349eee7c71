/** Exponential moving average whose start is not biased towards zero (Adam's correction, 1412.6980, section 3). */
export class MovingAverage {
  private sum = 0;
  private weight = 0;

  /** `decay`: what is left of a value after one more. */
  constructor(private readonly decay: number) {}

  add(value: number): number {
    this.sum = this.decay * this.sum + (1 - this.decay) * value;
    this.weight = this.decay * this.weight + (1 - this.decay);
    return this.sum / this.weight;
  }

  /** Goes on from a known average; null starts anew. */
  reset(average: number | null): void {
    this.sum = average ?? 0;
    this.weight = average === null ? 0 : 1;
  }
}
