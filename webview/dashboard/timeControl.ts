import { checkbox } from '../shared/controls';
import { element, setText } from '../shared/element';
import { count } from '../shared/figures';

export interface TimeChoice {
  /** Steps that can be chosen. */
  readonly first: number;
  readonly last: number;
  /** The step that is shown; its frame holds the steps after `fromStep` up to it. */
  readonly at: number;
  readonly stretch: string;
  readonly live: boolean;
}

/** Chooses the steps that a picture is about: a slider over those there are, or live. `lookBack` is told a step, or null for live. */
export class TimeControl {
  private readonly live = checkbox('Live', (live) => this.lookBack(live ? null : this.slider.valueAsNumber));
  private readonly slider: HTMLInputElement;
  private readonly stretch: HTMLElement;
  readonly element: HTMLElement;

  constructor(
    id: string,
    private readonly lookBack: (step: number | null) => void,
  ) {
    this.slider = element('input', { type: 'range', id, min: 0, max: 1, step: 1, class: 'slider' });
    this.stretch = element('output', { for: id, class: 'stretch' });
    this.element = element('div', { class: 'time' }, element('label', { for: id }, 'Step'), this.slider, this.stretch, this.live.element);
    this.slider.addEventListener('input', () => this.lookBack(this.slider.valueAsNumber));
  }

  update({ first, last, at, stretch, live }: TimeChoice): void {
    this.live.set(live);
    this.slider.min = String(first);
    this.slider.max = String(last);
    this.slider.value = String(at);
    this.slider.setAttribute('aria-valuetext', `Steps ${stretch}`);
    setText(this.stretch, stretch);
  }
}

/** A frame holds the steps after `fromStep` up to `step`. */
export function stretchOf(fromStep: number, step: number): string {
  return step - fromStep <= 1 ? count(step) : `${count(fromStep + 1)} to ${count(step)}`;
}
