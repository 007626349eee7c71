import type { Program } from '../../graph/program';
import type { RetrievalUse, RoutingUse } from '../engine';
import { accumulate } from './adamw';
import { floatsOf, integersOf, type Outputs } from './runtimeSession';

/** Where a graph says what routing did: the names of its outputs for each routed layer and each retrieval of the program. */
export interface RoutingOutputs {
  /** float32 [experts]. */
  readonly expertCounts: readonly string[];
  /** float32 [k]; null where every unit takes k. */
  readonly taken: readonly (string | null)[];
  /** int32 and float32 [tokens, k]. */
  readonly retrievals: readonly { readonly indices: string; readonly weights: string }[];
}

/** Adds up what routing did over the microbatches of a step, or says it of one batch. */
export class RoutingTotals {
  private readonly expertCounts: readonly Float32Array[];
  private readonly taken: readonly (Float32Array | null)[];
  private readonly retrievals: readonly RetrievalTally[];

  constructor(
    private readonly outputs: RoutingOutputs,
    { routedLayers, retrievals }: Program,
  ) {
    this.expertCounts = routedLayers.map(({ experts }) => new Float32Array(experts));
    this.taken = routedLayers.map(({ taken, k }) => (taken === null ? null : new Float32Array(k)));
    this.retrievals = retrievals.map(({ experts }) => new RetrievalTally(experts));
  }

  add(outputs: Outputs): this {
    this.outputs.expertCounts.forEach((name, layer) => accumulate(this.expertCounts[layer] as Float32Array, floatsOf(outputs, name)));
    this.outputs.taken.forEach((name, layer) => {
      const sum = this.taken[layer];
      if (name !== null && sum) accumulate(sum, floatsOf(outputs, name));
    });
    this.outputs.retrievals.forEach(({ indices, weights }, place) =>
      this.retrievals[place]?.add(integersOf(outputs, indices), floatsOf(outputs, weights)),
    );
    return this;
  }

  get use(): RoutingUse {
    return { expertCounts: this.expertCounts, taken: this.taken, retrievals: this.retrievals.map((tally) => tally.use) };
  }
}

/** Counts choices among very many experts. */
class RetrievalTally {
  private readonly choices: { readonly indices: Int32Array; readonly weights: Float32Array }[] = [];

  constructor(private readonly experts: number) {}

  /** One entry per choice in both. */
  add(indices: Int32Array, weights: Float32Array): void {
    this.choices.push({ indices, weights });
  }

  get use(): RetrievalUse {
    // Of every expert 1 + its place among the chosen ones, 0 for the others.
    const places = new Int32Array(this.experts);
    const experts = this.chosen(places).sort();
    experts.forEach((expert, place) => (places[expert] = place + 1));
    const counts = new Float32Array(experts.length);
    const sums = new Float64Array(experts.length);
    for (const { indices, weights } of this.choices) {
      indices.forEach((expert, choice) => {
        const place = (places[expert] as number) - 1;
        counts[place] = (counts[place] as number) + 1;
        sums[place] = (sums[place] as number) + (weights[choice] as number);
      });
    }
    return { experts, counts, weights: Float32Array.from(sums) };
  }

  /** Each chosen expert once. Marks them. */
  private chosen(marks: Int32Array): Int32Array {
    const list = new Int32Array(this.choices.reduce((total, { indices }) => total + indices.length, 0));
    let count = 0;
    for (const { indices } of this.choices) {
      for (const expert of indices) {
        if (marks[expert] !== 0) continue;
        marks[expert] = 1;
        list[count++] = expert;
      }
    }
    return list.slice(0, count);
  }
}
