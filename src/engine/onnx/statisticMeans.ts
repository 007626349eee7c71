import { floatsOf, type Outputs } from './runtimeSession';
import type { IndexedOutput } from './trainingGraph';

/** Means of step statistics by their index in the program. */
export type StatisticMeans = ReadonlyMap<number, Float32Array>;

/** Adds up the local values of step statistics over the microbatches of a step, in float64. */
export class StatisticSums {
  private readonly sums = new Map<number, Float64Array>();
  private microbatches = 0;

  /** Once per microbatch. */
  add(outputs: Outputs, statistics: readonly IndexedOutput[]): void {
    this.microbatches++;
    for (const { index, output } of statistics) {
      const local = floatsOf(outputs, output);
      const sum = this.sums.get(index) ?? new Float64Array(local.length);
      local.forEach((value, i) => (sum[i] = (sum[i] as number) + value));
      this.sums.set(index, sum);
    }
  }

  means(): StatisticMeans {
    return new Map(Array.from(this.sums, ([index, sum]) => [index, Float32Array.from(sum, (total) => total / this.microbatches)]));
  }
}
