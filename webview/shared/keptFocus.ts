/**
 * Brings a page up to date. What was pressed may be gone with what it did (a button that removes its row): then the focus goes to what
 * `instead` finds near where it was, not to the top of the page. `instead` is asked before, for the places to try in order, and each is
 * looked for after.
 */
export function keepingFocus(draw: () => void, instead: (held: Element) => readonly (() => Element | null | undefined)[]): void {
  const held = document.activeElement;
  const places = held === null || held === document.body ? [] : instead(held);
  draw();
  // A page that does not have the focus takes none.
  if (held === null || isReachable(held) || !document.hasFocus()) return;
  for (const place of places) {
    const found = place();
    if (found instanceof HTMLElement && isReachable(found)) return found.focus();
  }
}

function isReachable(target: Element): boolean {
  return target.isConnected && target.checkVisibility({ visibilityProperty: true });
}
