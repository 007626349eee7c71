import type { Experiment } from '../config/schema';
import type { Steps } from '../config/steps';
import { countModel, type ModelCount } from '../models/count';
import { outlineLanguageModel } from '../models/outline';
import { trainingNeeds, type RunNeeds } from '../worker/runNeeds';

/** What an experiment costs, as its program says. */
export interface ExperimentCost {
  readonly count: ModelCount;
  readonly needs: RunNeeds | null;
}

/** Enough for a large workspace; a cost is a few kilobytes. */
const MAXIMUM = 2000;

/** Costs by the content of the experiment: the same model in another file, or under another name, is counted once. */
export class CostCache {
  readonly #costs = new Map<string, ExperimentCost>();
  #programsBuilt = 0;

  get programsBuilt(): number {
    return this.#programsBuilt;
  }

  *of(experiment: Experiment): Steps<ExperimentCost> {
    const key = contentOf(experiment);
    const known = this.#costs.get(key);
    if (known !== undefined) return known;
    this.#programsBuilt += 1;
    const program = outlineLanguageModel(experiment);
    yield;
    const count = countModel(program, experiment.model);
    yield;
    const cost = { count, needs: trainingNeeds(experiment, program) };
    const [oldest] = this.#costs.keys();
    if (this.#costs.size >= MAXIMUM && oldest !== undefined) this.#costs.delete(oldest);
    this.#costs.set(key, cost);
    return cost;
  }
}

/** All that costs depend on: not what the experiment is called, where it comes from, nor what it is held against. */
export function contentOf(experiment: Experiment): string {
  return JSON.stringify({ ...experiment, name: undefined, extends: undefined, parity: undefined });
}
