import type { Page } from 'playwright-core';

/**
 * Text that stands out from what is behind it by less than 4.5 to 1 (WCAG 2.2, 1.4.3), also within the controls; disabled controls need
 * not.
 */
export function faintTexts(page: Page): Promise<readonly string[]> {
  return page.evaluate(() => {
    type Colour = readonly [red: number, green: number, blue: number, opacity: number];
    const colour = (text: string): Colour => {
      const [red = 0, green = 0, blue = 0, opacity = 1] = (text.match(/[\d.]+/g) ?? []).map(Number);
      return [red, green, blue, opacity];
    };
    const over = (front: Colour, back: Colour): Colour => {
      const mixed = (channel: 0 | 1 | 2): number => front[channel] * front[3] + back[channel] * (1 - front[3]);
      return [mixed(0), mixed(1), mixed(2), 1];
    };
    const luminance = ([red, green, blue]: Colour): number => {
      const linear = (channel: number): number => {
        const part = channel / 255;
        return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
      };
      return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
    };
    const parentOf = (element: Element): Element | null => {
      const root = element.getRootNode();
      return element.assignedSlot ?? element.parentElement ?? (root instanceof ShadowRoot ? root.host : null);
    };
    const backgroundOf = (element: Element | null): Colour =>
      element === null ? [255, 255, 255, 1] : over(colour(getComputedStyle(element).backgroundColor), backgroundOf(parentOf(element)));
    const all = (root: ParentNode): Element[] =>
      [...root.querySelectorAll('*')].flatMap((element) => [element, ...(element.shadowRoot === null ? [] : all(element.shadowRoot))]);

    const shown = all(document).filter(
      (element) =>
        [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim() !== '') &&
        element.getClientRects().length > 0 &&
        element.checkVisibility() &&
        element.closest('.visually-hidden, style, [disabled]') === null,
    );
    return shown.flatMap((element) => {
      const style = getComputedStyle(element);
      const back = backgroundOf(element);
      const front = over(colour(element instanceof SVGElement ? style.fill : style.color), back);
      const [dark = 0, light = 0] = [luminance(front), luminance(back)].sort((one, other) => one - other);
      const ratio = (light + 0.05) / (dark + 0.05);
      return ratio < 4.5 ? [`${element.textContent?.trim()}: ${ratio.toFixed(2)} to 1`] : [];
    });
  });
}
