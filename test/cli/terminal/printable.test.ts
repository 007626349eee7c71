import { describe, expect, it } from 'vitest';
import { formatFinding } from '../../../src/cli/findings';
import { printable, printableLines } from '../../../src/cli/terminal/printable';
import { textTable } from '../../../src/cli/textTable';

describe('text that comes from files', () => {
  const name = '\u001b]0;pwned\u0007\u001b[2Jred\nsecond\u202eline \u009b31m';
  const spelled = '\\e]0;pwned\\u0007\\e[2Jred\\nsecond\\u202eline \\u009b31m';

  it('cannot steer the terminal', () => {
    expect(printable(name)).toBe(spelled);
    expect(printable('MH-MoE (head=2) für 東京 🦊')).toBe('MH-MoE (head=2) für 東京 🦊');
    expect(printableLines('one\n\u001b[1mtwo')).toBe('one\n\\e[1mtwo');
  });

  it('keeps to its cell of a table, and its line of the findings', () => {
    expect(textTable([[name, '1']], [false, true])).toBe(`${spelled}  1`);
    const range = { start: { line: 0, character: 0 }, end: { line: 0, character: 1 } };
    expect(formatFinding({ file: '/a/b', range, severity: 'error', code: 'x', message: name }, '/a')).toBe(`b:1:1: error x: ${spelled}`);
  });
});
