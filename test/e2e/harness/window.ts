import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { FrameLocator, Locator, Page } from 'playwright-core';
import { eventually } from './eventually';

const screenshots = join(import.meta.dirname, '..', 'screenshots');

function exactly(text: string): RegExp {
  return new RegExp(`^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
}

/** A VS Code window in the browser, driven as a person drives it: palette, clicks, keys. */
export class Window {
  constructor(readonly page: Page) {}

  /** Picks a command from the palette by its full title, for example `MoE Lab: Start Run`. */
  async runCommand(title: string): Promise<void> {
    const attempt = async (): Promise<true> => {
      await this.page.keyboard.press('Escape');
      await this.page.keyboard.press('F1');
      const input = this.page.locator('.quick-input-widget input');
      await input.waitFor({ timeout: 5000 });
      // An open palette does not refresh, so the text is typed anew at each attempt.
      await input.fill(`>${title}`);
      const row = this.quickPickRow(title);
      await row.waitFor({ timeout: 3000 });
      // Not to wait for where a command leads: a reload would be asked for twice.
      if (/\bfocused\b/.test((await row.getAttribute('class', { timeout: 3000 })) ?? '')) await this.page.keyboard.press('Enter');
      else await row.click({ timeout: 3000, noWaitAfter: true });
      return true;
    };
    await eventually(`the command "${title}" in the palette`, attempt, 60);
  }

  /** Whether the palette offers a command now. */
  async offersCommand(title: string): Promise<boolean> {
    await this.page.keyboard.press('F1');
    const input = this.page.locator('.quick-input-widget input');
    await input.fill(`>${title}`);
    const offered = await this.quickPickRow(title)
      .waitFor({ timeout: 2000 })
      .then(() => true)
      .catch(() => false);
    await this.page.keyboard.press('Escape');
    return offered;
  }

  private quickPickRow(label: string): Locator {
    return this.page
      .locator('.quick-input-widget:visible .quick-input-list .monaco-list-row')
      .filter({ has: this.page.locator('.label-name', { hasText: exactly(label) }) })
      .first();
  }

  quickPickLabels(): Promise<readonly string[]> {
    return this.page.locator('.quick-input-widget:visible .quick-input-list .monaco-list-row .label-name').allTextContents();
  }

  /** The entries of an open quick pick from top to bottom, without what stands below each. The list draws its rows in any order. */
  quickPickEntries(): Promise<readonly string[]> {
    return this.page
      .locator('.quick-input-widget:visible .quick-input-list .monaco-list-row')
      .evaluateAll((rows) =>
        rows
          .toSorted((a, b) => Number(a.getAttribute('data-index')) - Number(b.getAttribute('data-index')))
          .map((row) => row.querySelector('.label-name')?.textContent ?? ''),
      );
  }

  /** Picks an entry of an open quick pick by a part of its label. */
  async pick(label: string): Promise<void> {
    await this.page.locator('.quick-input-widget:visible .quick-input-list .monaco-list-row', { hasText: label }).first().click();
  }

  /** Messages of the notifications now shown. */
  notifications(): Promise<readonly string[]> {
    return this.page.locator('.notifications-toasts .notification-list-item-message').allTextContents();
  }

  waitForNotification(text: string | RegExp, seconds?: number): Promise<string> {
    return eventually(
      `a notification with ${String(text)}`,
      async () => (await this.notifications()).find((message) => (typeof text === 'string' ? message.includes(text) : text.test(message))),
      seconds,
    );
  }

  async pressNotificationButton(label: string): Promise<void> {
    await this.page
      .locator('.notifications-toasts .notification-list-item-buttons-container .monaco-button', { hasText: label })
      .first()
      .click();
  }

  async clearNotifications(): Promise<void> {
    await this.runCommand('Notifications: Clear All Notifications');
    await eventually('no notification', async () => (await this.notifications()).length === 0);
  }

  /** The modal dialog of the workbench. */
  get dialog(): Locator {
    return this.page.locator('.monaco-dialog-box');
  }

  async pressDialogButton(label: string): Promise<void> {
    await this.dialog.locator('.monaco-button', { hasText: label }).click();
  }

  /** Opens a view container by its name in the activity bar. */
  async openSideBar(name: string): Promise<void> {
    const item = this.page.locator(`.activitybar .action-item:has(> a[aria-label^="${name}"])`).first();
    await item.waitFor();
    const isOpen = async (): Promise<boolean> => /\bchecked\b/.test((await item.getAttribute('class')) ?? '');
    if (!(await isOpen())) await item.click();
    await eventually(`the side bar ${name}`, isOpen);
  }

  /** The rows of the run explorer, as a person reads them (the accessible name: label, description). */
  get runRows(): Locator {
    return this.page.locator('[id="workbench.view.extension.moeLab"] .monaco-list-row');
  }

  /** What the rows show: name, then step, perplexity, progress or state. */
  async runRowTexts(): Promise<readonly string[]> {
    const texts = await this.runRows.allInnerTexts();
    return texts.map((text) => text.replaceAll('\u00a0', ' ').replace(/\s+/g, ' ').trim());
  }

  runRowLabels(): Promise<readonly string[]> {
    return this.runRows.evaluateAll((rows) => rows.map((row) => row.getAttribute('aria-label') ?? ''));
  }

  /** Buttons and text that an empty view shows. */
  get welcome(): Locator {
    return this.page.locator('[id="workbench.view.extension.moeLab"] .welcome-view-content');
  }

  fileRow(name: string): Locator {
    return this.page.locator('.explorer-folders-view .monaco-list-row', { hasText: name }).first();
  }

  /** Texts of the lenses in the visible editor. */
  async codeLensTexts(): Promise<readonly string[]> {
    const texts = await this.page.locator('.codelens-decoration').allTextContents();
    return texts.map((text) => text.replaceAll('\u00a0', ' ').trim()).filter((text) => text !== '');
  }

  squiggles(severity: 'error' | 'warning'): Locator {
    return this.page.locator(`.monaco-editor .squiggly-${severity}`);
  }

  /** Nothing is underlined, or soon nothing is: an editor draws its squiggles a moment after it is told. */
  async waitForNoSquiggle(...severities: ('error' | 'warning')[]): Promise<void> {
    for (const severity of severities) {
      await eventually(`no ${severity} underlined`, async () => (await this.squiggles(severity).count()) === 0);
    }
  }

  /** Clicks a lens until what it does is there: one that is made anew under the mouse takes no click. */
  async clickLens(part: string, done: () => Promise<boolean>): Promise<void> {
    const lens = this.page.locator('.codelens-decoration a', { hasText: part }).first();
    await eventually(`the lens "${part}" to do its work`, async () => {
      if (await done()) return true;
      await lens.click({ timeout: 5000 });
      return eventually('its effect', done, 15);
    });
  }

  /** Rests the mouse on something until a hover that contains `text` is there. Lenses and hints that come move what is under the mouse. */
  async hover(target: Locator, text: string): Promise<Locator> {
    const hover = this.page.locator('.monaco-hover:visible', { hasText: text }).first();
    await eventually(`a hover with "${text}"`, async () => {
      if (await hover.isVisible()) return true;
      await this.page.mouse.move(0, 0);
      await target.hover({ force: true, timeout: 5000 });
      await hover.waitFor({ timeout: 5000 });
      return true;
    });
    return hover;
  }

  /** Content of the visible webview. */
  webview(): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready').frameLocator('#active-frame');
  }

  statusBarTexts(): Promise<readonly string[]> {
    return this.page.locator('.statusbar-item').allTextContents();
  }

  /** Keeps a picture under test/e2e/screenshots, to be looked at. */
  async screenshot(name: string): Promise<void> {
    mkdirSync(screenshots, { recursive: true });
    // Drawn in software: slow where the machine is busy.
    await this.page.screenshot({ path: join(screenshots, `${name}.png`), timeout: 90_000 });
  }
}
