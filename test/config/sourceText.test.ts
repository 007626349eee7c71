import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sourceText } from '../../src/config/sourceText';

const texts = fc
  .array(fc.constantFrom('\n', '\r\n', '\r', 'a', ' ', '\u{1F9EA}', '\uFEFF', '模'), { maxLength: 30 })
  .map((parts) => parts.join(''));

describe('places in a text', () => {
  it('are found again from their lines and characters, but for the middle of a line end', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const source = sourceText(text);
        for (let offset = 0; offset <= text.length; offset += 1) {
          if (text.slice(offset - 1, offset + 1) === '\r\n') continue;
          expect(source.offsetAt(source.rangeBetween(offset, offset).start)).toBe(offset);
        }
      }),
    );
  });

  it('outside of it are moved to the nearest end, of the text or of the line', () => {
    const { offsetAt, rangeBetween } = sourceText('ab\r\nc\n');
    expect([
      offsetAt({ line: -1, character: 5 }),
      offsetAt({ line: 0, character: 9 }),
      offsetAt({ line: 1, character: -3 }),
      offsetAt({ line: 1, character: 3 }),
      offsetAt({ line: 9, character: 0 }),
    ]).toEqual([0, 2, 4, 5, 6]);
    expect(rangeBetween(-1, 99)).toEqual({ start: { line: 0, character: 0 }, end: { line: 2, character: 0 } });
  });
});
