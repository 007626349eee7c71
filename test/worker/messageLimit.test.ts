import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageLimit } from '../../src/worker/messageLimit';

/** What gets through, and why it ended, when `text` arrives in the given pieces. */
async function passed(text: string, sizes: readonly number[], maximum: number): Promise<{ out: string; error: string | undefined }> {
  const limit = new MessageLimit(maximum);
  const out: Buffer[] = [];
  let error: string | undefined;
  limit.on('data', (chunk: Buffer) => out.push(chunk));
  const ended = new Promise<void>((resolve) => limit.on('close', resolve).on('end', resolve));
  limit.on('error', (reason) => (error = reason.message));
  const bytes = Buffer.from(text);
  for (let position = 0, piece = 0; position < bytes.length && error === undefined; piece++) {
    const size = sizes[piece % sizes.length] ?? 1;
    limit.write(bytes.subarray(position, position + size));
    position += size;
  }
  limit.end();
  await ended;
  return { out: Buffer.concat(out).toString(), error };
}

const frame = (body: string, extra = '') => `${extra}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const pieces = fc.array(fc.integer({ min: 1, max: 3000 }), { minLength: 1, maxLength: 6 });

describe('the limit on messages', () => {
  it('passes whole streams of messages unchanged, however they are cut', async () => {
    const message = fc.tuple(fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }), fc.constantFrom('', 'Content-Type: x\r\n'));
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 30 }), pieces, async (messages, sizes) => {
        const text = messages.map(([body, extra]) => frame(body, extra)).join('');
        expect(await passed(text, sizes, 1000)).toEqual({ out: text, error: undefined });
      }),
    );
  });

  it('lets no byte of a message that is too long through, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, async (sizes) => {
        const first = frame('fine');
        const { out, error } = await passed(first + frame('x'.repeat(101)), sizes, 100);
        expect(out).toBe(first);
        expect(error).toContain('101 bytes');
      }),
    );
  });

  it.each([
    ['no length', 'Content-Type: x\r\n\r\n{}'],
    ['a negative length', 'Content-Length: -1\r\n\r\n{}'],
    ['two lengths', 'Content-Length: 2\r\nContent-Length: 9\r\n\r\n{}'],
    ['an endless header', 'x'.repeat(5000)],
  ])('refuses %s', async (_, text) => {
    const { out, error } = await passed(text, [700], 100);
    expect(out).toBe('');
    expect(error).toBeDefined();
  });
});
