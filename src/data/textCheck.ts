/**
 * Tells text from binary data while a file streams through. A NUL byte is binary (UTF-16 text has them too); so is a file in which more
 * than a fifth of the bytes is neither well-formed UTF-8 nor a usual control character. Below that it may be, say, Latin-1 prose: byte
 * models can learn it.
 */
export class TextCheck {
  private bytes = 0;
  private strange = 0;
  private firstNul = -1;
  /** Continuation bytes that the current UTF-8 sequence still needs, and how many bytes of it were seen. */
  private pending = 0;
  private seen = 0;

  add(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at] ?? 0;
      if (this.pending > 0) {
        if ((byte & 0xc0) === 0x80) {
          this.pending--;
          this.seen++;
          continue;
        }
        this.strange += this.seen;
        this.pending = 0;
      }
      if (byte >= 0x20 && byte < 0x7f) continue;
      if (byte >= 0x80) this.startSequence(byte);
      else if (byte === 0 && this.firstNul < 0) this.firstNul = this.bytes + at;
      else if (!(byte >= 0x08 && byte <= 0x0d) && byte !== 0x1b) this.strange++;
    }
    this.bytes += chunk.length;
  }

  private startSequence(byte: number): void {
    // Lead bytes by RFC 3629: C0, C1 and F5..FF never occur.
    const needs = byte >= 0xc2 && byte <= 0xdf ? 1 : byte >= 0xe0 && byte <= 0xef ? 2 : byte >= 0xf0 && byte <= 0xf4 ? 3 : 0;
    if (needs === 0) this.strange++;
    this.pending = needs;
    this.seen = 1;
  }

  /** Why this is not text, or undefined. */
  get problem(): string | undefined {
    if (this.firstNul >= 0) return `it has a NUL byte at offset ${this.firstNul}`;
    if (this.strange * 5 > this.bytes) return `${Math.round((100 * this.strange) / this.bytes)} % of its bytes are not UTF-8 text`;
    return undefined;
  }
}
