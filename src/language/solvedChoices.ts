import type { Experiment } from '../config/schema';
import { experimentSchema } from '../config/schema';
import { isMapping } from '../config/mapping';
import type { ModelCount } from '../models/count';
import { modelCost } from '../parity/closedForm/modelCost';
import { sizesText } from '../parity/solver/choiceText';
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
    parity: parityView(baseline.name, modelCost(withNumbers(subject, changes).model), baseline.count),
  }));
}

/** An experiment with other numbers at some dotted keys. */
function withNumbers(experiment: Experiment, changes: Readonly<Record<string, number>>): Experiment {
  const changed = Object.entries(changes).reduce<unknown>((value, [key, number]) => withValue(value, key.split('.'), number), experiment);
  return experimentSchema.parse(changed);
}

function withValue(value: unknown, [key, ...rest]: readonly string[], number: number): unknown {
  if (key === undefined) return number;
  const mapping = isMapping(value) ? value : {};
  return { ...mapping, [key]: withValue(mapping[key], rest, number) };
}
