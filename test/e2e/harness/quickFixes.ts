import type { Locator } from 'playwright-core';
import { eventually } from './eventually';
import type { Window } from './window';

/** The menu of quick fixes of the active editor. */
export class QuickFixes {
  constructor(private readonly window: Window) {}

  get entries(): Locator {
    return this.window.page.locator('.action-widget .monaco-list-row.action');
  }

  async titles(): Promise<readonly string[]> {
    return (await this.entries.allInnerTexts()).map((text) => text.trim());
  }

  /** What can be done where the cursor stands. */
  async open(): Promise<void> {
    await eventually('the menu of quick fixes', () => this.opened());
  }

  /** What can be done at the first problem that is underlined, chosen with the mouse. */
  async openAtSquiggle(severity: 'error' | 'warning'): Promise<void> {
    await eventually(`the menu of quick fixes at the first ${severity}`, async () => {
      if (await this.entries.first().isVisible()) return true;
      // Clicked again at each attempt: lenses that come in between move the line away from under the mouse.
      await this.window.squiggles(severity).first().click({ force: true, timeout: 5000 });
      return this.opened();
    });
  }

  /** Goes to the next problem of the active editor and opens the menu of what can be done there, by keys alone. */
  async openAtNextProblem(): Promise<void> {
    const { page } = this.window;
    // Before the editor knows of a problem there is none to go to.
    await page.locator('.monaco-editor [class*=squiggly-]').first().waitFor();
    const problem = page.locator('.marker-widget');
    await eventually('the next problem', async () => {
      await page.keyboard.press('Alt+F8');
      // Long enough to be sure that the key was lost: another one would go to the problem after it.
      await problem.waitFor({ timeout: 10_000 });
      return true;
    });
    await page.keyboard.press('Escape');
    await problem.waitFor({ state: 'detached' });
    await this.open();
  }

  private async opened(): Promise<boolean> {
    // Where the menu is open, the same key takes what is chosen in it.
    if (await this.entries.first().isVisible()) return true;
    await this.window.page.keyboard.press('Control+.');
    await this.entries.first().waitFor({ timeout: 5000 });
    return true;
  }

  /** Goes down in the open menu to the entry that contains `part`, and takes it. */
  async takeByKeys(part: string): Promise<void> {
    const { page } = this.window;
    const chosen = page.locator('.action-widget .monaco-list-row.focused', { hasText: part });
    const entries = await this.entries.count();
    for (let pressed = 0; pressed < entries && (await chosen.count()) === 0; pressed++) await page.keyboard.press('ArrowDown');
    if ((await chosen.count()) === 0) throw new Error(`No "${part}" among ${(await this.titles()).join('; ')}`);
    await page.keyboard.press('Enter');
  }

  /** Takes the entry that contains `part` with the mouse. */
  async click(part: string): Promise<void> {
    const entry = this.entries.filter({ hasText: part }).first();
    // Until the mouse moves, older versions keep a pane over the menu, so that the click which opened it takes nothing in it.
    await entry.hover({ force: true });
    await entry.click();
  }
}
