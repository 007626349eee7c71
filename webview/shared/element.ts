type Attributes = Readonly<Record<string, string | number | boolean>>;

/** A DOM element with attributes (`false` leaves one out) and children; strings become text, never markup. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false) created.setAttribute(name, value === true ? '' : String(value));
  }
  created.append(...children);
  return created;
}

/** Sets text only when it differs, so that screen readers and the layout are left alone otherwise. */
export function setText(target: Element, text: string): void {
  if (target.textContent !== text) target.textContent = text;
}

export function setHidden(target: HTMLElement, hidden: boolean): void {
  if (target.hidden !== hidden) target.hidden = hidden;
}

/** Text with words between backticks set as code. */
export function prose(text: string): (Node | string)[] {
  return text.split(/`([^`]+)`/).map((piece, index) => (index % 2 === 0 ? piece : element('code', {}, piece)));
}
