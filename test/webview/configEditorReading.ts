import type { OpenConfigEditor } from './configEditorHarness';

/** What a config editor shows and asks for, read off its page. */

export function changesOf({ received }: OpenConfigEditor): unknown[] {
  return received.flatMap((message) => (message.type === 'request' && message.request.kind === 'change' ? [message.request.change] : []));
}

export function valueOf(editor: OpenConfigEditor, path: string): Promise<string> {
  return editor.control(path).evaluate((control: HTMLInputElement) => control.value);
}

/** The path of the field that has the focus. */
export function focused({ page }: OpenConfigEditor): Promise<string | null> {
  return page.evaluate(() => document.activeElement?.closest('.field')?.getAttribute('data-path') ?? null);
}

/** Presses Tab until a field has the focus, from the top of the page. */
export async function tabTo(editor: OpenConfigEditor, path: string): Promise<void> {
  await editor.page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  for (let presses = 0; presses < 120; presses++) {
    await editor.page.keyboard.press('Tab');
    const here = await editor.page.evaluate(() => {
      const active = document.activeElement;
      return active?.closest('.field-control') === null ? null : (active?.closest('.field')?.getAttribute('data-path') ?? null);
    });
    if (here === path) return;
  }
  throw new Error(`Tab does not reach ${path}.`);
}

/** Residuals of the part that differs: MACs, with router, parameters, with router. */
export function figures({ page }: OpenConfigEditor): Promise<string[]> {
  return page.locator('.parity-bars tbody').first().locator('.parity-figure').allInnerTexts();
}
