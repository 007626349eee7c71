import { textButton } from '../shared/controls';
import { element, prose } from '../shared/element';
import { icon } from '../shared/icons';
import type { PartActions } from './actions';
import type { NumberedFinding } from './state';

const names: Readonly<Record<NumberedFinding['severity'], string>> = { error: 'Error', warning: 'Warning', information: 'Information' };

/** Rules about what the model costs against its baseline: the solver knows what would mend it. */
const ofParity: readonly string[] = ['macs-off-parity', 'parameters-off-parity', 'two-matrix-parity'];

/** Findings where they belong, each with its rule's page and its fixes. Rebuilt only when they change, so that focus stays. */
export class FindingList {
  readonly element = element('ul', { class: 'findings', hidden: true });
  private shown = '';

  constructor(private readonly actions: PartActions) {}

  update(findings: readonly NumberedFinding[], readOnly: boolean): void {
    const text = JSON.stringify([findings, readOnly]);
    if (text === this.shown) return;
    this.shown = text;
    this.element.hidden = findings.length === 0;
    this.element.replaceChildren(...findings.map((finding) => this.item(finding, readOnly)));
  }

  private item(finding: NumberedFinding, readOnly: boolean): HTMLLIElement {
    const { severity, code, message, file, line, fixes, index } = finding;
    const rule = link(code, `What the rule ${code} says, and why`, () => this.actions.request({ kind: 'showRule', code }));
    const place = file === null ? `line ${line}` : `${file}, line ${line}`;
    const solver = ofParity.includes(code) ? [textButton('Find Sizes', () => this.actions.findSizes())] : [];
    const buttons = readOnly
      ? []
      : [...fixes.map((title, fix) => textButton(title, () => void this.actions.change({ kind: 'fix', finding: index, fix }))), ...solver];
    return element(
      'li',
      { class: 'finding', 'data-severity': severity },
      element('span', { class: 'finding-icon' }, icon(severity), element('span', { class: 'visually-hidden' }, names[severity])),
      element(
        'div',
        { class: 'finding-text' },
        element(
          'p',
          {},
          ...prose(message),
          ' ',
          rule,
          ' · ',
          link(place, 'Show it in the text', () => this.actions.revealFinding(index)),
        ),
        ...(buttons.length === 0 ? [] : [element('div', { class: 'finding-fixes' }, ...buttons)]),
      ),
    );
  }
}

/** A button that reads as a link. */
export function link(text: string, hint: string, press: () => void): HTMLButtonElement {
  const created = element('button', { type: 'button', class: 'link', title: hint }, text);
  created.addEventListener('click', () => press());
  return created;
}
