import type { FieldView, Origin } from '../../src/extension/panels/configEditor-protocol';
import { iconButton } from '../shared/controls';
import { element, prose, setHidden, setText } from '../shared/element';
import type { PartActions } from './actions';
import { fieldControl, type FieldControl } from './fieldControl';
import { FindingList, link } from './findingList';
import { dotted, type NumberedFinding } from './state';

/** One key: its name and who says its value, what it is edited with, what it means, and what is wrong with it. */
export class FieldRow {
  readonly element: HTMLElement;
  private readonly control: FieldControl;
  private readonly origin: HTMLButtonElement;
  private readonly reset: HTMLElement & { disabled: boolean };
  private readonly refusal = element('p', { class: 'refusal', role: 'alert', hidden: true });
  private readonly findings: FindingList;
  private field: FieldView;

  constructor(field: FieldView, actions: PartActions) {
    this.field = field;
    const { path } = field;
    this.control = fieldControl(field, {
      commit: (text) =>
        void actions.change({ kind: 'set', path, text }, path).then((taken) => {
          if (taken) this.control.set(this.field, true);
        }),
      giveUp: () => actions.dispatch({ type: 'refused', path, reason: null }),
    });
    this.findings = new FindingList(actions);
    this.origin = link('', 'Show the key in the text', () => actions.request({ kind: 'revealKey', path }));
    this.reset = iconButton(
      'reset',
      `Reset ${dotted(path)}`,
      'No longer state it here',
      () => void actions.change({ kind: 'reset', path }, path),
    );
    const name = path.at(-1) ?? '';
    this.element = element(
      'div',
      { class: 'field', 'data-path': dotted(path) },
      element('div', { class: 'field-name' }, element('span', { class: 'key' }, name), this.origin),
      element('div', { class: 'field-control' }, this.control.element, this.reset),
      element('p', { class: 'field-description' }, ...prose(field.description)),
      this.refusal,
      this.findings.element,
    );
  }

  /** Whether a row that shows `field` can go on with another state of it. */
  suits(field: FieldView): boolean {
    return field.kind === this.field.kind && JSON.stringify(field.choices) === JSON.stringify(this.field.choices);
  }

  update(field: FieldView, findings: readonly NumberedFinding[], refusal: string | undefined, readOnly: boolean): void {
    this.field = field;
    this.element.dataset['origin'] = field.origin.kind;
    this.control.set(field, false);
    this.control.enable(!readOnly);
    this.control.mark(refusal !== undefined || findings.some(({ severity }) => severity === 'error'));
    setText(this.origin, originText(field.origin, field.required));
    this.origin.disabled = field.origin.kind !== 'stated' && field.origin.kind !== 'inherited';
    // Where it leads nowhere it is a text.
    if (this.origin.disabled) this.origin.setAttribute('role', 'none');
    else this.origin.removeAttribute('role');
    const { origin, required } = field;
    setHidden(this.reset, readOnly || origin.kind !== 'stated' || (required && origin.over === null));
    setText(this.refusal, refusal ?? '');
    setHidden(this.refusal, refusal === undefined);
    this.findings.update(findings, readOnly);
  }
}

function originText(origin: Origin, required: boolean): string {
  switch (origin.kind) {
    case 'stated':
      return origin.over === null ? 'stated' : `stated, over ${origin.over}`;
    case 'inherited':
      return `from ${origin.from}`;
    case 'default':
      return 'default';
    case 'none':
      return required ? 'missing' : 'not set';
  }
}
