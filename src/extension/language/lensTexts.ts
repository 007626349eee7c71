import type { LoadedConfig, SourceRange } from '../../config/configFile';
import { choicesVary } from '../../config/moeShape';
import type { Experiment } from '../../config/schema';
import { familySentence, type FamilyTable } from '../../language/familyTable';
import type { ModelCount } from '../../models/count';
import { attentionCosts } from '../../parity/attentionCosts';
import type { CountedConfig } from '../../parity/compareWithBaseline';
import { formatAmount, formatChoices, formatCount } from '../../parity/formatCount';

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
export function countLens(
  { findings, experiment }: Pick<LoadedConfig, 'findings' | 'experiment'>,
  { count, parity, causality }: CountedConfig,
): Lens {
  if (count) {
    const notCausal = causality?.reasons.map(({ reason }) => reason) ?? [];
    const tag = notCausal.length === 0 ? '' : '; not causal';
    const ofMechanisms = experiment === undefined ? [] : [...varyingText(count, experiment), ...attentionText(count, experiment)];
    const tooltip = [...notCausal, ...ofMechanisms, 'Show the figures of every layer'].join(' ');
    return { title: `${formatCount(count, parity)}${kTag(experiment)}${tag}`, action: 'showCount', tooltip };
  }
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const title = errors === 0 ? 'Could not be counted' : `Not counted: ${errors} ${errors === 1 ? 'error' : 'errors'}`;
  return { title, action: 'showProblems', tooltip: 'Show the problems' };
}

/** `; at 2 of up to 4 experts`: what the MACs are counted at, where units take different numbers of experts. */
function kTag(experiment: Experiment | undefined): string {
  const { moe } = experiment?.model ?? {};
  if (experiment === undefined || moe === undefined || !choicesVary(moe)) return '';
  return `; at ${moe.top_k} of ${formatChoices(experiment.model, moe)}`;
}

function varyingText({ layers }: ModelCount, experiment: Experiment): string[] {
  const each = layers.reduce((sum, layer) => sum + layer.macsPerChoice, 0);
  return kTag(experiment) === '' ? [] : [`One expert more on average costs ${formatAmount(each)} MACs/token.`];
}

/** SwitchHead's attention counted three ways. */
function attentionText(count: ModelCount, { model }: Experiment): string[] {
  if (model.attention.moe === undefined) return [];
  const { graph, paperEquation: paper, authorsScript: script } = attentionCosts(count, model);
  const others =
    paper === null || script === null
      ? ''
      : `; ${formatAmount(paper.macs + paper.selections)} by the equations of 2312.07987 with its selections, ${formatAmount(script.macs)} by the script of its authors`;
  return [`Attention of one layer over a window: ${formatAmount(graph.macs)} MACs${others}.`];
}

/** Above `sweep:`: what its members cost. */
export function familyLens(family: FamilyTable): Lens {
  return { title: familySentence(family), action: 'showCount', tooltip: 'Show the figures of every member' };
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
