import type { FieldView } from '../../src/extension/panels/configEditor-protocol';
import { checkbox, dropdown, textControl } from '../shared/controls';
import { element } from '../shared/element';
import { dotted } from './state';

/** What a field is edited with, whatever its kind. */
export interface FieldControl {
  readonly element: HTMLElement;
  /** With `force` a draft goes. */
  set(field: FieldView, force: boolean): void;
  enable(enabled: boolean): void;
  mark(invalid: boolean): void;
}

export interface FieldEvents {
  readonly commit: (text: string) => void;
  readonly giveUp: () => void;
}

export function fieldControl(field: FieldView, events: FieldEvents): FieldControl {
  switch (field.kind) {
    case 'boolean':
      return tick(field, events);
    case 'choice':
      return choice(field, events);
    case 'choices':
      return several(field, events);
    case 'whole':
    case 'number':
    case 'text':
    case 'numbers':
    case 'lines':
    case 'yaml':
      return text(field, events);
  }
}

function text(field: FieldView, { commit, giveUp }: FieldEvents): FieldControl {
  const control = textControl(dotted(field.path), field.kind === 'lines' || field.kind === 'yaml', commit, giveUp);
  const holder = element('div', { class: `text-control ${field.kind}` }, control.element);
  return {
    element: holder,
    set({ value, required }, force) {
      control.set(value, force);
      control.hint(required ? 'required' : '');
    },
    enable: (enabled) => control.enable(enabled),
    mark: (invalid) => control.mark(invalid),
  };
}

function tick(field: FieldView, { commit }: FieldEvents): FieldControl {
  // Its name stands beside it already.
  const control = checkbox(dotted(field.path), (checked) => commit(String(checked)), false);
  return {
    element: control.element,
    set: ({ value }) => control.set(value === 'true'),
    enable: (enabled) => control.enable(enabled),
    mark: (invalid) => control.element.setAttribute('aria-invalid', String(invalid)),
  };
}

const unset = '(none)';

function choice(field: FieldView, { commit }: FieldEvents): FieldControl {
  const control = dropdown<string>(dotted(field.path), (value) => commit(value === unset ? '' : value));
  return {
    element: control.control,
    set({ choices, value }) {
      const shown = value === '' ? unset : value;
      // What the text says is shown even where it may not be said.
      const values = choices.includes(shown) ? choices : [shown, ...choices];
      control.set(
        values.map((one) => ({ value: one, label: one })),
        shown,
      );
    },
    enable: (enabled) => control.enable(enabled),
    mark: (invalid) => control.control.setAttribute('aria-invalid', String(invalid)),
  };
}

/** A list of a few words: each ticked or not, in the order of the schema. */
function several(field: FieldView, { commit }: FieldEvents): FieldControl {
  let chosen: readonly string[] = [];
  const boxes = field.choices.map((word) => ({
    word,
    box: checkbox(word, (checked) =>
      commit(field.choices.filter((other) => (other === word ? checked : chosen.includes(other))).join(', ')),
    ),
  }));
  return {
    element: element('div', { class: 'choices', role: 'group', 'aria-label': dotted(field.path) }, ...boxes.map(({ box }) => box.element)),
    set({ value }) {
      chosen = value.split(/[\s,]+/);
      for (const { word, box } of boxes) box.set(chosen.includes(word));
    },
    enable: (enabled) => boxes.forEach(({ box }) => box.enable(enabled)),
    mark: (invalid) => boxes.forEach(({ box }) => box.element.setAttribute('aria-invalid', String(invalid))),
  };
}
