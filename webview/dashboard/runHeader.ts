import type { RunStateName, RunSummary } from '../../src/extension/panels/dashboard-protocol';
import { button } from '../shared/controls';
import { element, setHidden, setText } from '../shared/element';
import { bitsPerByte, compact, count, duration, perplexity } from '../shared/figures';

export interface RunActions {
  readonly stop: (run: string) => void;
  readonly openConfig: (run: string) => void;
  readonly remove: (run: string) => void;
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
  private readonly progress = element('progress', {});
  private readonly steps = element('span', { class: 'steps' });
  private readonly figures = element('dl', { class: 'figures' });
  private readonly details = element('p', { class: 'details' });
  private readonly trouble = element('div', { class: 'trouble', role: 'status' });
  readonly element: HTMLElement;
  private stopping = false;
  private shown = '';

  constructor(run: string, actions: RunActions) {
    this.stop = button('Stop', 'primary', () => {
      this.stopping = true;
      this.stop.disabled = true;
      actions.stop(run);
    });
    const config = button('Config', 'secondary', () => actions.openConfig(run));
    const remove = button('Hide', 'secondary', () => actions.remove(run));
    this.element = element(
      'article',
      { class: 'run' },
      element('header', {}, this.swatch, this.name, this.state),
      element(
        'div',
        { class: 'run-row' },
        element('div', { class: 'progress' }, this.progress, this.steps),
        element('div', { class: 'buttons' }, this.stop, config, remove),
      ),
      this.figures,
      this.details,
      this.trouble,
    );
    config.title = 'Open the config this run was started from';
    remove.title = 'Take this run off the dashboard; its files stay';
    this.stop.title = 'Stop training after the current step and keep a checkpoint';
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
    const live = summary.state === 'starting' || summary.state === 'running';
    const stateName = this.stopping && live ? 'stopping' : summary.state;
    setText(this.state, stateNames[stateName]);
    this.state.dataset['state'] = stateName;
    this.stop.disabled = this.stopping;
    setHidden(this.stop, !live);
    this.progress.max = Math.max(1, summary.totalSteps);
    this.progress.value = summary.step;
    this.progress.setAttribute('aria-label', `Progress of ${summary.name}`);
    setText(this.steps, `${count(summary.step)} / ${count(summary.totalSteps)} steps`);
    this.figures.replaceChildren(
      ...figuresOf(summary).map(([term, value]) => element('div', {}, element('dt', {}, term), element('dd', {}, value))),
    );
    this.details.replaceChildren(...detailsOf(summary).map((detail) => element('span', {}, detail)));
    this.updateTrouble(summary);
  }

  private updateTrouble({ failure, problem, state, step }: RunSummary): void {
    const lines =
      failure !== null
        ? [`Failed at step ${count(failure.step)}: ${failure.message}`, failure.advice]
        : state === 'lost'
          ? [`The worker ended at step ${count(step)} without a word.`, 'Resume the run from its last checkpoint in the sidebar.']
          : problem !== null
            ? [problem]
            : [];
    this.trouble.replaceChildren(...lines.filter((line) => line !== '').map((line) => element('p', {}, line)));
    setHidden(this.trouble, lines.length === 0);
  }
}

function figuresOf(summary: RunSummary): readonly (readonly [string, string])[] {
  return [
    ...summary.validation.map((set) => [`Perplexity, ${set.name}`, perplexity(set.perplexity)] as const),
    ...summary.validation
      .filter((set) => set.bitsPerByte !== null)
      .map(
        (set) => [summary.validation.length === 1 ? 'Bits per byte' : `Bits per byte, ${set.name}`, bitsPerByte(set.bitsPerByte)] as const,
      ),
    ['Perplexity, training', perplexity(summary.trainPerplexity)],
    ['Tokens per second', compact(summary.tokensPerSecond)],
  ];
}

function detailsOf({ parameters: { total, active, activeIsUpperBound }, macsPerToken, seconds, device }: RunSummary): readonly string[] {
  const parameters =
    active === total
      ? `${compact(total)} parameters`
      : `${compact(total)} parameters (${activeIsUpperBound ? '≤ ' : ''}${compact(active)} active)`;
  return [parameters, `${compact(macsPerToken)} MACs/token`, duration(seconds), device].filter((detail) => detail !== '');
}
