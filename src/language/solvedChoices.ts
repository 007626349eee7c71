import type { Experiment } from '../config/schema';
import type { ModelCount } from '../models/count';
import { modelCost } from '../parity/closedForm/modelCost';
import { sizesText } from '../parity/solver/choiceText';
import { modelWithChanges } from '../parity/solver/knobs';
import { solve, type ParityTarget } from '../parity/solver/solve';
import { parityView, type ParityOfBoth } from './parityView';

/** Numbers for some keys of a config, and how far the model is from its baseline with them. */
export interface SolvedChoice {
  /** By dotted key. */
  readonly changes: Readonly<Record<string, number>>;
  /** `expert_width 768, experts 41`. */
  readonly title: string;
  readonly parity: ParityOfBoth;
}

/** What the solver finds for a config against its baseline, best first, with both axes of each. */
export function solvedChoices(
  subject: Experiment,
  baseline: { readonly name: string; readonly experiment: Experiment; readonly count: ModelCount },
  options: { readonly target: ParityTarget; readonly limit: number },
): readonly SolvedChoice[] {
  return solve(subject, baseline.experiment, options).choices.map(({ changes }) => ({
    changes,
    title: sizesText(changes),
    parity: parityView(baseline.name, modelCost(modelWithChanges(subject.model, changes)), baseline.count),
  }));
}
