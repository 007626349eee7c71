import type { Experiment } from '../../config/schema';
import { residualText } from '../../language/parityTexts';
import { solvedChoices, type SolvedChoice } from '../../language/solvedChoices';
import type { ModelCount } from '../../models/count';
import { valueAt } from '../../config/keyValues';
import { reachOf, type Reach } from '../../parity/solver/reach';
import type { ParityTarget } from '../../parity/solver/solve';

/** Sizes that a config could have instead, or the heading of a group of them. */
export type ChoiceItem =
  | { readonly heading: string }
  | { readonly label: string; readonly description: string; readonly detail: string; readonly changes: Readonly<Record<string, number>> };

const groups: readonly { readonly target: ParityTarget; readonly heading: (reach: Reach) => string; readonly limit: number }[] = [
  { target: 'both', heading: ({ equal }) => headingOfBoth(equal), limit: 12 },
  { target: 'macs', heading: () => 'Near in MACs', limit: 6 },
  { target: 'parameters', heading: () => 'Near in parameters', limit: 6 },
];

/** Says it where no sizes are equal on both. */
function headingOfBoth({ atOnce, withoutRouter, withRouter }: Reach['equal']): string {
  if (atOnce) return 'Near on both axes';
  if (!withoutRouter && !withRouter) return 'None is equal on both axes; the nearest';
  return `Near on both axes ${withoutRouter && withRouter ? 'without router or with it, not at once' : `only ${withRouter ? 'with' : 'without'} router`}`;
}

/** The solver's choices for each target, each once, under the first target that it serves; what would change nothing is none. */
export function choiceItems(
  subject: Experiment,
  baseline: { readonly name: string; readonly experiment: Experiment; readonly count: ModelCount },
): readonly ChoiceItem[] {
  const seen = new Set<string>();
  const reach = reachOf(subject, baseline.experiment);
  return groups.flatMap(({ target, heading, limit }): ChoiceItem[] => {
    const items = solvedChoices(subject, baseline, { target, limit }).flatMap((choice): ChoiceItem[] => {
      const changes = whatChanges(choice, subject);
      const identity = JSON.stringify(Object.entries(changes).toSorted());
      if (Object.keys(changes).length === 0 || seen.has(identity)) return [];
      seen.add(identity);
      return [{ ...texts(choice), changes }];
    });
    return items.length === 0 ? [] : [{ heading: heading(reach) }, ...items];
  });
}

function whatChanges({ changes }: SolvedChoice, subject: Experiment): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(changes).filter(([key, value]) => valueAt(subject, key.split('.')) !== value));
}

/** A quick pick has room for little: of the second line only the figures, MACs first. */
function texts({ title, parity: { compared, model, scope } }: SolvedChoice): { label: string; description: string; detail: string } {
  const figures = (macs: number | null, parameters: number | null): string => `${residualText(macs)}, ${residualText(parameters)}`;
  const whole = scope === 'model' ? '' : `; in all ${figures(model.macsWithRouter, model.parametersWithRouter)}`;
  return {
    label: title,
    description: `${residualText(compared.macsWithRouter)} MACs, ${residualText(compared.parametersWithRouter)} parameters`,
    detail: `without router ${figures(compared.macs, compared.parameters)}${whole}`,
  };
}
