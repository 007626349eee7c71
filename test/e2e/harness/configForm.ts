import type { FrameLocator, Locator } from 'playwright-core';
import { eventually } from './eventually';
import type { Window } from './window';

/** The config editor's form, driven as a person drives it. */
export class ConfigForm {
  constructor(private readonly window: Window) {}

  private get frame(): FrameLocator {
    return this.window.webview();
  }

  async waitUntilReady(): Promise<void> {
    await this.frame.locator('.section').first().waitFor({ timeout: 45_000 });
  }

  control(path: string): Locator {
    return this.frame
      .locator(`.field[data-path="${path}"]`)
      .locator('vscode-text-field, vscode-text-area, vscode-dropdown, vscode-checkbox')
      .first();
  }

  value(path: string): Promise<string> {
    return this.control(path).evaluate((control) => (control as HTMLInputElement).value);
  }

  waitForValue(path: string, value: string): Promise<unknown> {
    return eventually(`${path} to be ${value} in the form`, async () => (await this.value(path)) === value);
  }

  /** Types into a field and enters it. */
  async enter(path: string, text: string): Promise<void> {
    await this.control(path).click();
    await this.window.page.keyboard.press('Control+A');
    await this.window.page.keyboard.type(text);
    await this.window.page.keyboard.press('Enter');
  }

  /** The path of the field whose control has the focus; null for anything else. */
  focused(): Promise<string | null> {
    return this.frame.locator('body').evaluate(() => {
      const control = document.activeElement?.closest('.field-control > *:not(vscode-button)');
      return control?.closest('.field')?.getAttribute('data-path') ?? null;
    });
  }

  /** Residuals of the part that differs: MACs, with router, parameters, with router. */
  residuals(): Promise<readonly string[]> {
    return this.frame.locator('.parity-bars tbody').first().locator('.parity-figure').allInnerTexts();
  }

  findings(path: string): Locator {
    return this.frame.locator(`.field[data-path="${path}"] .finding`);
  }

  get broken(): Locator {
    return this.frame.locator('.broken');
  }

  get picture(): Locator {
    return this.frame.locator('.diagram');
  }
}
