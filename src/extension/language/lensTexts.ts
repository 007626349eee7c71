import type { LoadedConfig, SourceRange } from '../../config/configFile';
import { choicesVary } from '../../config/moeShape';
import type { Experiment } from '../../config/schema';
import type { OwnAnalysis } from '../../language/analysis';
import { durationText } from '../../language/durationText';
import { familySentence, type FamilyTable } from '../../language/familyTable';
import { paritySentence, parityWithoutRouter } from '../../language/parityTexts';
import type { ModelCount } from '../../models/count';
import { attentionCosts } from '../../parity/attentionCosts';
import { formatAmount, formatChoices, formatCount } from '../../parity/formatCount';
import type { Estimate } from '../../runs/throughput';
import { bytesText } from '../../worker/bytesText';
import type { RunNeeds } from '../../worker/runNeeds';

export type LensAction = 'showCount' | 'showProblems' | 'startRun' | 'openDashboard' | 'createTwin' | 'chooseSizes' | 'measureMachine';

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

/** What a lens says of the training of a config: nothing where it only counts. */
export interface TrainingCost {
  readonly needs: RunNeeds | null;
  /** Undefined where nothing like it was measured on this machine. */
  readonly estimate: Estimate | undefined;
}

/** What the model costs, and its training on this machine; or that it has errors. */
export function countLens(
  { findings, experiment }: Pick<LoadedConfig, 'findings' | 'experiment'>,
  { count, causality }: Pick<OwnAnalysis, 'count' | 'causality'>,
  training: TrainingCost,
): Lens {
  if (count) {
    const notCausal = causality?.reasons.map(({ reason }) => reason) ?? [];
    const tag = notCausal.length === 0 ? '' : '; not causal';
    const ofMechanisms = experiment === undefined ? [] : [...varyingText(count, experiment), ...attentionText(count, experiment)];
    const tooltip = [...notCausal, ...ofMechanisms, ...basisText(training), 'Show the figures of every layer'].join(' ');
    const title = `${formatCount(count)}${kTag(experiment)}${tag}${trainingText(experiment, training)}`;
    return { title, action: 'showCount', tooltip };
  }
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const title = errors === 0 ? 'Could not be counted' : `Not counted: ${errors} ${errors === 1 ? 'error' : 'errors'}`;
  return { title, action: 'showProblems', tooltip: 'Show the problems' };
}

/** `; trains in 1.25 GiB, 52.43 G tokens in about 3 days`: memory on the device where there is one, and time once it was measured. */
function trainingText(experiment: Experiment | undefined, { needs, estimate }: TrainingCost): string {
  if (needs === null || experiment?.train === undefined) return '';
  const { host, device } = needs.memory;
  const memory = device > 0 ? `${bytesText(device)} on the device and ${bytesText(host)}` : bytesText(host);
  const tokens = `${formatAmount(experiment.train.steps * experiment.train.batch_tokens)} tokens`;
  return `; trains in ${memory}, ${tokens}${estimate === undefined ? '' : ` in about ${durationText(estimate.secondsToFinish)}`}`;
}

function basisText({ estimate }: TrainingCost): string[] {
  if (estimate === undefined) return [];
  const speed = `${formatAmount(estimate.tokensPerSecond)} tokens/s`;
  return [
    estimate.basis === 'this config'
      ? `This training was measured here at ${speed}.`
      : `Other models were measured here; by its MACs this one makes ${speed}.`,
  ];
}

/** Where the parity lens stands: at what names the baseline, else with the count. */
export function parityRange(loaded: Pick<LoadedConfig, 'rangeOf'>): SourceRange {
  return loaded.rangeOf(['parity']) ?? lensRange(loaded);
}

/** How far the model is from its baseline on both axes; it leads to sizes that are nearer. Undefined where there is nothing to compare. */
export function parityLens({ count, baseline }: Pick<OwnAnalysis, 'count' | 'baseline'>): Lens | undefined {
  if (count === undefined || baseline === undefined) return undefined;
  const counts = { count, baseline };
  return { title: paritySentence(counts), action: 'chooseSizes', tooltip: `${parityWithoutRouter(counts)} Choose sizes that cost as much` };
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
export function actionLenses({ experiment }: Pick<LoadedConfig, 'experiment'>, isMeasured: boolean): Lens[] {
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
  const measure: Lens[] = isMeasured
    ? []
    : [
        {
          title: 'Measure This Machine',
          action: 'measureMachine',
          tooltip: 'Train it for a few seconds, to say how long it takes to the end',
        },
      ];
  return [{ title: 'Start Run', action: 'startRun', tooltip: 'Train this model' }, dashboard, ...measure, ...twin];
}
