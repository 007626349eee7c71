const controls = 'vscode-text-field, vscode-text-area, vscode-dropdown, vscode-checkbox';

/** Where the focus goes when what has it goes: to the control of its key, to its section, to what asks for sizes, else to the search. */
export function focusPlaces(page: HTMLElement): (held: Element) => readonly (() => Element | null | undefined)[] {
  return (held) => {
    const field = held.closest<HTMLElement>('.field')?.dataset['path'];
    const section = held.closest<HTMLElement>('.section')?.dataset['path'];
    return [
      ...(field === undefined ? [] : [() => page.querySelector(`.field[data-path="${field}"] .field-control`)?.querySelector(controls)]),
      ...(section === undefined
        ? []
        : ['summary', '.absent > vscode-button'].map((part) => () => visible(page, `.section[data-path="${section}"] ${part}`))),
      ...(held.closest('.parity') === null ? [] : [() => page.querySelector('.solver > vscode-button')]),
      () => page.querySelector('.controls > vscode-text-field'),
    ];
  };
}

function visible(page: HTMLElement, selector: string): Element | undefined {
  return [...page.querySelectorAll(selector)].find((one) => one.checkVisibility());
}
