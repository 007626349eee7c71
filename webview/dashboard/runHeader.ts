import type { RunStateName, RunSummary } from '../../src/extension/panels/dashboard-protocol';
import { iconButton } from '../shared/controls';
import { element, setHidden, setText } from '../shared/element';
import { amount, bitsPerByte, count, duration, perplexity } from '../shared/figures';
import { figureTable } from './tables';

export interface RunActions {
  readonly stop: (run: string) => void;
  readonly openConfig: (run: string) => void;
  readonly remove: (run: string) => void;
  readonly branch: (run: string) => void;
}

const stateNames: Readonly<Record<RunStateName, string>> = {
  starting: 'Starting',
  running: 'Running',
  stopping: 'Stopping',
  finished: 'Finished',
  stopped: 'Stopped',
  failed: 'Failed',
  lost: 'Lost',
};

/** State, progress and latest figures of one run, with what can be done about it. */
export class RunHeader {
  private readonly swatch = element('span', { class: 'swatch', 'aria-hidden': 'true' });
  private readonly name = element('h3', {});
  private readonly state = element('span', { class: 'state' });
  private readonly stop: HTMLElement & { disabled: boolean };
  private readonly branch: HTMLElement;
  private readonly progress = element('progress', {});
  private readonly notCausal = element('span', { class: 'tag' }, 'not causal');
  private readonly steps = element('span', { class: 'steps' });
  private readonly figures = element('div', { class: 'figures' });
  private readonly details = element('p', { class: 'details' });
  private readonly trouble = element('div', { class: 'trouble', role: 'status' });
  readonly element: HTMLElement;
  private stopping = false;
  private shown = '';

  constructor(run: string, actions: RunActions) {
    this.stop = iconButton('stop', 'Stop', 'Stop training after the current step and keep a checkpoint', () => {
      this.stopping = true;
      this.stop.disabled = true;
      actions.stop(run);
    });
    this.branch = iconButton('branch', 'Branch with this fix', 'Open a new config with the key changed that governs what went wrong', () =>
      actions.branch(run),
    );
    const config = iconButton('config', 'Config', 'Open the config this run was started from', () => actions.openConfig(run));
    const remove = iconButton('close', 'Hide', 'Take this run off the dashboard; its files stay', () => actions.remove(run));
    this.element = element(
      'article',
      { class: 'run' },
      element(
        'header',
        {},
        this.swatch,
        this.name,
        this.state,
        this.notCausal,
        this.steps,
        element('div', { class: 'buttons' }, this.stop, this.branch, config, remove),
      ),
      this.progress,
      this.figures,
      this.details,
      this.trouble,
    );
  }

  /** The host has asked the run to stop, or could not: from here on the run's own state says how it stands. */
  stopAnswered(): void {
    this.stopping = false;
    this.stop.disabled = false;
  }

  update(summary: RunSummary, colour: string): void {
    const key = JSON.stringify([summary, colour, this.stopping]);
    if (key === this.shown) return;
    this.shown = key;
    this.swatch.style.backgroundColor = colour;
    setText(this.name, summary.name);
    this.name.title = summary.run;
    this.element.setAttribute('aria-label', summary.name);
    const live = summary.state === 'starting' || summary.state === 'running';
    const stateName = this.stopping && live ? 'stopping' : summary.state;
    setText(this.state, stateNames[stateName]);
    this.state.dataset['state'] = stateName;
    setHidden(this.notCausal, summary.notCausal.length === 0);
    this.notCausal.title = summary.notCausal.join(' ');
    this.stop.disabled = this.stopping;
    setHidden(this.stop, !live);
    setHidden(this.branch, summary.failure === null && summary.alarms.length === 0);
    this.progress.max = Math.max(1, summary.totalSteps);
    this.progress.value = summary.step;
    this.progress.setAttribute('aria-label', `Progress of ${summary.name}`);
    setText(this.steps, `${count(summary.step)} / ${count(summary.totalSteps)} steps`);
    this.figures.replaceChildren(figuresTable(summary));
    this.details.replaceChildren(...detailsOf(summary).map((detail) => element('span', {}, detail)));
    this.updateTrouble(summary);
  }

  private updateTrouble({ failure, alarms, problem, state, step }: RunSummary): void {
    const lines =
      failure !== null
        ? [`Failed at step ${count(failure.step)}: ${failure.message}`, failure.advice]
        : state === 'lost'
          ? [`The worker ended at step ${count(step)} without a word.`, 'Resume the run from its last checkpoint in the sidebar.']
          : problem !== null
            ? [problem]
            : alarms;
    this.trouble.replaceChildren(...lines.filter((line) => line !== '').map((line) => element('p', {}, line)));
    setHidden(this.trouble, lines.length === 0);
  }
}

/** Latest figures: a column for training and one for each validation set. */
function figuresTable({ name, trainPerplexity, validation: logged }: RunSummary): HTMLTableElement {
  // In the order of the chart's legend.
  const validation = [...logged].sort((a, b) => (a.name < b.name ? -1 : 1));
  const head = ['', ...validation.map((set) => set.name), 'training'];
  const perplexities = ['Perplexity', ...validation.map((set) => perplexity(set.perplexity)), perplexity(trainPerplexity)];
  const bits = ['Bits per byte', ...validation.map((set) => bitsPerByte(set.bitsPerByte)), ''];
  const counted = validation.some((set) => set.bitsPerByte !== null);
  return figureTable(`Latest figures of ${name}`, head, counted ? [perplexities, bits] : [perplexities]);
}

function detailsOf(summary: RunSummary): readonly string[] {
  const { parameters, macsPerToken, choices, tokensPerSecond, device } = summary;
  const { total, active, activeIsUpperBound } = parameters;
  const share = active === total ? '' : ` (${activeIsUpperBound ? '≤ ' : ''}${amount(active)} active)`;
  const speed = tokensPerSecond === null ? '' : `${amount(tokensPerSecond)} tokens/s`;
  const meanK = choices === null ? '' : `mean K ${choices.meanK.toFixed(2)}`;
  const measured = choices === null || choices.macsAtMeanK === null ? '' : `${amount(choices.macsAtMeanK)} MACs/token at that mean`;
  const details = [
    `${amount(total)} parameters${share}`,
    `${amount(macsPerToken)} MACs/token`,
    meanK,
    measured,
    speed,
    timeOf(summary),
    device,
  ];
  return details.filter((detail) => detail !== '');
}

/** How long it has trained; while it does, also how long the steps that are left would take at the pace so far. */
function timeOf({ state, step, totalSteps, seconds }: RunSummary): string {
  if (state !== 'running' || step === 0 || step >= totalSteps) return duration(seconds);
  return `${duration(seconds)}, about ${duration(Math.ceil((seconds / step) * (totalSteps - step)))} left`;
}
