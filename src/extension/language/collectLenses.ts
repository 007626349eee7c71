import type { LoadedConfig, SourceRange } from '../../config/configFile';
import type { CountedConfig } from '../../parity/compareWithBaseline';
import { formatCount } from '../../parity/formatCount';

export type LensAction = 'showCount' | 'showProblems' | 'startRun' | 'openDashboard';

export interface Lens {
  readonly title: string;
  readonly action: LensAction;
  readonly tooltip: string;
}

/** Above `model:`; in a variant that does not state it, above `extends:`. */
export function lensRange({ rangeOf }: Pick<LoadedConfig, 'rangeOf'>): SourceRange {
  const top = { line: 0, character: 0 };
  return rangeOf(['model']) ?? rangeOf(['extends']) ?? { start: top, end: top };
}

/** What stands above `model:`: the cost, then what can be done. A config that only counts offers no run. */
export function collectLenses(
  { experiment, findings }: Pick<LoadedConfig, 'experiment' | 'findings'>,
  { count, parity }: CountedConfig,
): Lens[] {
  const dashboard: Lens = { title: 'Open Dashboard', action: 'openDashboard', tooltip: 'Perplexity and expert use of the runs' };
  if (experiment === undefined || count === undefined) {
    const errors = findings.filter(({ severity }) => severity === 'error').length;
    const title = errors === 0 ? 'Could not be counted' : `Not counted: ${errors} ${errors === 1 ? 'error' : 'errors'}`;
    return [{ title, action: 'showProblems', tooltip: 'Show the problems' }, dashboard];
  }
  const lenses: Lens[] = [{ title: formatCount(count, parity), action: 'showCount', tooltip: 'Show the figures of every layer' }];
  if (experiment.train && experiment.data) lenses.push({ title: 'Start Run', action: 'startRun', tooltip: 'Train this model' });
  return [...lenses, dashboard];
}
