import { Transform, type TransformCallback } from 'node:stream';

/** A peer sent a message that is too long, or not a message. */
export class MessageRefused extends Error {
  override readonly name = 'MessageRefused';
}

const headerEnd = Buffer.from('\r\n\r\n');
const maximumHeaderBytes = 1024;

/**
 * Passes a stream of `Content-Length: N\r\n\r\nBODY` messages on, and fails before any byte of a body longer than `maximum` gets through.
 * Whoever reads behind it never holds more than one message of that size in memory.
 */
export class MessageLimit extends Transform {
  /** Bytes of the body at hand still to come. */
  private body = 0;
  private header = Buffer.alloc(0);

  constructor(private readonly maximum: number) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    try {
      this.accept(chunk);
      done();
    } catch (error) {
      done(error instanceof Error ? error : new MessageRefused(String(error)));
    }
  }

  private accept(chunk: Buffer): void {
    let rest = chunk;
    while (rest.length > 0) {
      if (this.body > 0) {
        const part = rest.subarray(0, this.body);
        this.push(part);
        this.body -= part.length;
        rest = rest.subarray(part.length);
        continue;
      }
      this.header = Buffer.concat([this.header, rest.subarray(0, maximumHeaderBytes)]);
      const end = this.header.indexOf(headerEnd);
      if (end < 0) {
        if (this.header.length >= maximumHeaderBytes) throw new MessageRefused('a message header has no end');
        return;
      }
      const length = end + headerEnd.length;
      // What lies behind the header in the joined buffer is still in `rest`.
      const before = this.header.length - Math.min(rest.length, maximumHeaderBytes);
      rest = rest.subarray(length - before);
      const header = this.header.subarray(0, length);
      this.header = Buffer.alloc(0);
      this.body = this.bodyLength(header.toString('latin1'));
      this.push(header);
    }
  }

  private bodyLength(header: string): number {
    const found = [...header.matchAll(/^content-length: *(\d{1,15})\r$/gim)];
    const length = Number(found[0]?.[1]);
    if (found.length !== 1 || !(length > 0)) throw new MessageRefused('a message does not say how long it is');
    if (length > this.maximum) throw new MessageRefused(`a message of ${length} bytes; at most ${this.maximum} are read`);
    return length;
  }
}
