import type { CostView } from '../../src/extension/panels/configEditor-protocol';
import { textButton } from '../shared/controls';
import { element, setHidden, setText } from '../shared/element';
import { amount } from '../shared/figures';
import type { PageActions } from './actions';
import { link } from './findingList';
import type { ConfigEditorState } from './state';

/** What the model is called and what it costs. */
export class Header {
  readonly element: HTMLElement;
  private readonly name = element('h1', {});
  private readonly figures = element('dl', { class: 'costs', 'aria-label': 'What the model costs' });
  private readonly findings: HTMLButtonElement;
  private readonly tag = element('span', { class: 'tag', hidden: true }, 'not causal');
  private shown: CostView | null | undefined;

  /** `goToFinding` shows the first finding of those that are worst. */
  constructor(actions: PageActions, goToFinding: () => void) {
    this.findings = link('', 'Go to the first of them', goToFinding);
    const text = textButton('Show Text', () => actions.request({ kind: 'showText' }));
    this.element = element(
      'header',
      { class: 'top' },
      element('div', { class: 'title' }, this.name, this.tag, text),
      this.figures,
      this.findings,
    );
  }

  update({ update, counted: { cost } }: ConfigEditorState): void {
    setText(this.name, update?.name ?? '');
    const text = findingsText(update);
    setText(this.findings, text);
    setHidden(this.findings, text === '');
    setHidden(this.tag, cost === null || cost.notCausal.length === 0);
    this.tag.title = cost?.notCausal.join(' ') ?? '';
    if (JSON.stringify(cost) === JSON.stringify(this.shown)) return;
    this.shown = cost;
    this.figures.replaceChildren(...(cost === null ? [] : costs(cost)));
    setHidden(this.figures, cost === null);
  }
}

/** `Not counted: 1 error, 2 warnings`. */
function findingsText(update: ConfigEditorState['update']): string {
  if (update === null || update.broken !== null) return '';
  const counted = (['error', 'warning', 'information'] as const).flatMap((severity) => {
    const count = update.findings.filter((finding) => finding.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}${count === 1 || severity === 'information' ? '' : 's'}`];
  });
  return `${update.cost === null ? 'Not counted: ' : ''}${counted.join(', ')}`;
}

function costs({ parameters, activeParameters, activeIsUpperBound, macsPerToken, memory }: CostView): HTMLElement[] {
  const active = `${activeIsUpperBound ? '≤ ' : ''}${amount(activeParameters)}`;
  return [
    ...figure('Parameters', amount(parameters)),
    ...figure('Active', active),
    ...figure('MACs per token', amount(macsPerToken)),
    ...(memory === null ? [] : figure('Training memory', memoryText(memory))),
  ];
}

function memoryText({ host, device }: NonNullable<CostView['memory']>): string {
  return device === 0 ? bytes(host) : `${bytes(host)}, ${bytes(device)} on the device`;
}

function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(value) / 10));
  return `${(value / 1024 ** power).toPrecision(3).replace(/\.?0+$/, '')} ${units[power] ?? ''}`;
}

function figure(name: string, text: string): HTMLElement[] {
  return [element('dt', {}, name), element('dd', {}, text)];
}
