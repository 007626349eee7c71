import type { LoadedConfig, SourceRange } from '../../config/configFile';
import { choicesVary } from '../../config/moeShape';
import type { CountedConfig } from '../../parity/compareWithBaseline';
import { formatCount } from '../../parity/formatCount';

export type LensAction = 'showCount' | 'showProblems' | 'startRun' | 'openDashboard' | 'createTwin';

export interface Lens {
  readonly title: string;
  readonly action: LensAction;
  readonly tooltip: string;
}

/** Above `model:`; in a variant that does not state it, above `extends:`. */
export function lensRange({ rangeOf }: Pick<LoadedConfig, 'rangeOf'>): SourceRange {
  return rangeOf(['model']) ?? rangeOf(['extends']) ?? topOfText;
}

/** Where the lenses that do something stand: on a row of their own, so that a long count does not push them out of a narrow editor. */
export const topOfText: SourceRange = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

/** What the model costs, or that it has errors. */
export function countLens({ findings }: Pick<LoadedConfig, 'findings'>, { count, parity, causality }: CountedConfig): Lens {
  if (count) {
    const notCausal = causality?.reasons.map(({ reason }) => reason) ?? [];
    const tag = notCausal.length === 0 ? '' : '; not causal';
    const tooltip = [...notCausal, 'Show the figures of every layer'].join(' ');
    return { title: `${formatCount(count, parity)}${tag}`, action: 'showCount', tooltip };
  }
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const title = errors === 0 ? 'Could not be counted' : `Not counted: ${errors} ${errors === 1 ? 'error' : 'errors'}`;
  return { title, action: 'showProblems', tooltip: 'Show the problems' };
}

/** What can be done with a config. One that only counts offers no run. */
export function actionLenses({ experiment }: Pick<LoadedConfig, 'experiment'>): Lens[] {
  const dashboard: Lens = { title: 'Open Dashboard', action: 'openDashboard', tooltip: 'Perplexity and expert use of the runs' };
  const { moe } = experiment?.model ?? {};
  const twin: Lens[] =
    moe !== undefined && choicesVary(moe)
      ? [
          {
            title: 'Fixed-K Twin',
            action: 'createTwin',
            tooltip: 'A new config with the same number of experts for every unit, at equal cost',
          },
        ]
      : [];
  if (!experiment?.train || !experiment.data) return [dashboard, ...twin];
  return [{ title: 'Start Run', action: 'startRun', tooltip: 'Train this model' }, dashboard, ...twin];
}
