import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeTextArea,
  vsCodeTextField,
  type Button,
  type Checkbox,
  type Dropdown,
  type TextArea,
  type TextField,
} from '@vscode/webview-ui-toolkit';
import { element } from './element';
import { icon, type IconName } from './icons';

/** The controls of all panels. The only module that knows the toolkit, whose upstream is archived: exchange it here. */

export function registerControls(): void {
  provideVSCodeDesignSystem().register(
    vsCodeButton(),
    vsCodeCheckbox(),
    vsCodeDropdown(),
    vsCodeOption(),
    vsCodeTextField(),
    vsCodeTextArea(),
  );
}

/** A button that is a picture; `label` is its name for those who do not see it, `hint` what it does. */
export function iconButton(name: IconName, label: string, hint: string, press: () => void): HTMLElement & { disabled: boolean } {
  const created = document.createElement('vscode-button') as Button;
  created.setAttribute('appearance', 'icon');
  created.setAttribute('aria-label', label);
  created.title = hint;
  created.append(icon(name));
  created.addEventListener('click', () => press());
  return created;
}

/** A button with words. */
export function textButton(
  label: string,
  press: () => void,
  appearance: 'primary' | 'secondary' = 'secondary',
): HTMLElement & { disabled: boolean } {
  const created = document.createElement('vscode-button') as Button;
  created.setAttribute('appearance', appearance);
  created.append(label);
  created.addEventListener('click', () => press());
  return created;
}

/** The toolkit names its controls by the text within them as they enter the page, and has words of its own where there is none. */
function keepName(control: HTMLElement, label: string): void {
  const name = (): void => {
    if (control.getAttribute('aria-label') !== label) control.setAttribute('aria-label', label);
  };
  name();
  new MutationObserver(name).observe(control, { attributes: true, attributeFilter: ['aria-label'] });
}

export interface CheckboxControl {
  readonly element: HTMLElement;
  set(checked: boolean): void;
  enable(enabled: boolean): void;
}

/** `labelled`: whether its label stands beside it, or is its name only. */
export function checkbox(label: string, change: (checked: boolean) => void, labelled = true): CheckboxControl {
  const created = document.createElement('vscode-checkbox') as Checkbox;
  if (labelled) created.append(label);
  keepName(created, label);
  let shown = false;
  created.addEventListener('change', () => {
    if (created.checked === shown) return;
    shown = created.checked;
    change(shown);
  });
  return {
    element: created,
    set(checked) {
      shown = checked;
      created.checked = checked;
    },
    enable(enabled) {
      created.disabled = !enabled;
    },
  };
}

export interface TextControl {
  readonly element: HTMLElement;
  /** Shows a value. A draft of the user stays while the value is the one that it began from; with `force` it goes. */
  set(value: string, force?: boolean): void;
  /** A control that cannot be written keeps its focus. */
  enable(enabled: boolean): void;
  /** What stands there while it is empty. */
  hint(placeholder: string): void;
  mark(invalid: boolean): void;
}

/**
 * A line of text, or several with `lines`. The user's draft is told to `commit` when it is left or entered (in several lines by
 * Ctrl+Enter); Escape, and Ctrl+Z before it is committed, give it up, which `give up` is told.
 */
export function textControl(label: string, lines: boolean, commit: (text: string) => void, giveUp: () => void): TextControl {
  const created = document.createElement(lines ? 'vscode-text-area' : 'vscode-text-field') as TextField | TextArea;
  keepName(created, label);
  created.setAttribute('spellcheck', 'false');
  let shown = '';
  let draft = false;
  const revert = (): void => {
    created.value = shown;
    draft = false;
    giveUp();
  };
  created.addEventListener('input', () => (draft = created.value !== shown));
  created.addEventListener('change', () => {
    if (created.value !== shown) commit(created.value);
  });
  created.addEventListener('keydown', (event) => {
    const undo = (event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === 'z';
    if (draft && (undo || event.key === 'Escape')) {
      // The editor would undo what was done before the draft.
      event.preventDefault();
      event.stopPropagation();
      revert();
    }
    if (lines && event.key === 'Enter' && (event.ctrlKey || event.metaKey) && created.value !== shown) commit(created.value);
  });
  return {
    element: created,
    set(value, force = false) {
      const keep = draft && value === shown && !force;
      shown = value;
      if (keep) return;
      draft = false;
      if (created.value !== value) created.value = value;
      if (lines) (created as TextArea).rows = Math.min(12, value === '' ? 1 : Math.max(2, value.split('\n').length));
    },
    enable(enabled) {
      created.readOnly = !enabled;
    },
    hint(placeholder) {
      created.placeholder = placeholder;
    },
    mark(invalid) {
      created.setAttribute('aria-invalid', String(invalid));
    },
  };
}

export interface DropdownControl<T extends string> {
  /** The control with its visible label. */
  readonly element: HTMLElement;
  /** The control alone. */
  readonly control: HTMLElement;
  set(options: readonly { readonly value: T; readonly label: string }[], value: T): void;
  enable(enabled: boolean): void;
}

let dropdowns = 0;

export function dropdown<T extends string>(label: string, change: (value: T) => void): DropdownControl<T> {
  const created = document.createElement('vscode-dropdown') as Dropdown;
  created.id = `dropdown-${++dropdowns}`;
  created.setAttribute('aria-label', label);
  let shown = '';
  let listed = '';
  created.addEventListener('change', () => {
    if (created.value === shown || created.value === '') return;
    shown = created.value;
    change(shown as T);
  });
  return {
    element: element('div', { class: 'dropdown' }, element('label', { for: created.id }, label), created),
    control: created,
    set(options, value) {
      const list = JSON.stringify(options);
      if (list === listed && value === shown) return;
      shown = value;
      if (list !== listed) {
        listed = list;
        created.replaceChildren(
          ...options.map((option) => {
            const item = document.createElement('vscode-option');
            item.setAttribute('value', option.value);
            item.toggleAttribute('selected', option.value === value);
            item.textContent = option.label;
            return item;
          }),
        );
      }
      // The options upgrade first; before that the control refuses a value it does not know.
      requestAnimationFrame(() => (created.value = shown));
    },
    enable(enabled) {
      created.disabled = !enabled;
    },
  };
}
