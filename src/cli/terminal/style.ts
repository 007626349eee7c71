/** Colours, where the terminal has them and the user has not said NO_COLOR (no-color.org). */
export interface Style {
  dim(text: string): string;
  bold(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

const plain: Style = { dim: (text) => text, bold: (text) => text, good: (text) => text, bad: (text) => text };

const wrap = (open: number, close: number) => (text: string) => `\u001b[${open}m${text}\u001b[${close}m`;
const coloured: Style = { dim: wrap(2, 22), bold: wrap(1, 22), good: wrap(32, 39), bad: wrap(31, 39) };

export function styleFor(isTerminal: boolean, environment: Readonly<Record<string, string | undefined>>): Style {
  const noColour = environment['NO_COLOR'] !== undefined && environment['NO_COLOR'] !== '';
  return isTerminal && !noColour && environment['TERM'] !== 'dumb' ? coloured : plain;
}
