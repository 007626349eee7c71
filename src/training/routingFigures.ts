import type { RoutingUse } from '../engine/engine';

/** What validation says of how experts are used. */
export interface RoutingFigures {
  /** Experts per unit, mean over the units of the layers in which it varies; null where every unit takes k. */
  readonly meanK: number | null;
  /** Share of the retrieved experts that the text ever used, mean over the retrievals; null without one. */
  readonly expertUsage: number | null;
  /**
   * log N + sum z log z, z the experts' shares of all weights: the divergence from even use, nats (2407.04153 section 3.3); mean over the
   * retrievals, null without one.
   */
  readonly unevenness: number | null;
}

/** Adds up the use of experts over the batches of a text. */
export class RoutingFigureSums {
  private units = 0;
  private choices = 0;
  /** Per retrieval, the weights of all its experts. */
  private weights: readonly Float64Array[] = [];

  /** `retrieved`: experts of a retrieval. */
  constructor(private readonly retrieved: number) {}

  add({ taken, retrievals }: RoutingUse): void {
    for (const counts of taken) {
      if (counts === null) continue;
      // Every unit takes one expert at least.
      this.units += counts[0] ?? 0;
      this.choices += counts.reduce((sum, count) => sum + count, 0);
    }
    if (this.weights.length === 0) this.weights = retrievals.map(() => new Float64Array(this.retrieved));
    retrievals.forEach(({ experts, weights }, place) => {
      const sums = this.weights[place];
      experts.forEach((expert, at) => sums !== undefined && (sums[expert] = (sums[expert] ?? 0) + (weights[at] ?? 0)));
    });
  }

  get figures(): RoutingFigures {
    const used = this.weights.map(useOf);
    return {
      meanK: this.units === 0 ? null : this.choices / this.units,
      expertUsage: mean(used.map(({ usage }) => usage)),
      unevenness: mean(used.map(({ unevenness }) => unevenness)),
    };
  }
}

function useOf(weights: Float64Array): { readonly usage: number; readonly unevenness: number } {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let [used, entropy] = [0, 0];
  for (const weight of weights) {
    if (weight === 0) continue;
    used++;
    entropy -= (weight / total) * Math.log(weight / total);
  }
  return { usage: used / weights.length, unevenness: Math.log(weights.length) - entropy };
}

function mean(figures: readonly number[]): number | null {
  return figures.length === 0 ? null : figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
}
