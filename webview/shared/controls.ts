import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  type Button,
  type Checkbox,
  type Dropdown,
} from '@vscode/webview-ui-toolkit';
import { element } from './element';
import { icon, type IconName } from './icons';

/** The controls of all panels. The only module that knows the toolkit, whose upstream is archived: exchange it here. */

export function registerControls(): void {
  provideVSCodeDesignSystem().register(vsCodeButton(), vsCodeCheckbox(), vsCodeDropdown(), vsCodeOption());
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

export interface CheckboxControl {
  readonly element: HTMLElement;
  set(checked: boolean): void;
}

export function checkbox(label: string, change: (checked: boolean) => void): CheckboxControl {
  const created = document.createElement('vscode-checkbox') as Checkbox;
  created.append(label);
  created.setAttribute('aria-label', label);
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
  };
}

export interface DropdownControl<T extends string> {
  /** The control with its visible label. */
  readonly element: HTMLElement;
  set(options: readonly { readonly value: T; readonly label: string }[], value: T): void;
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
  };
}
