import { eventually } from './eventually';
import type { Window } from './window';

/** The list of completions in the active editor. */
export class Suggestions {
  constructor(private readonly window: Window) {}

  /** The labels of the open list, once one of them contains `part`. */
  labels(part: string): Promise<readonly string[]> {
    return eventually(`the suggestion ${part}`, async () => {
      const labels = await this.window.page.locator('.suggest-widget.visible .monaco-list-row .label-name').allTextContents();
      return labels.some((label) => label.includes(part)) && labels;
    });
  }

  /** Takes a suggestion by Enter, once the keys typed so far have made it the chosen one. */
  async take(part: string): Promise<void> {
    await this.window.page.locator('.suggest-widget.visible .monaco-list-row.focused .label-name', { hasText: part }).first().waitFor();
    await this.window.page.keyboard.press('Enter');
  }
}
