/**
 * Writes the protobuf wire format (https://protobuf.dev/programming-guides/encoding), only the kinds of field ONNX needs:
 * varints, 32-bit floats and length-delimited fields.
 */
export class ProtobufWriter {
  private bytes = new Uint8Array(256);
  private length = 0;

  /** What was written so far; a view that is valid until the next write. */
  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** A varint field; negative numbers take ten bytes, as two's complement of 64 bits. */
  integer(field: number, value: number): this {
    this.varint(field * 8);
    this.varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.varint(field * 8 + 5);
    this.reserve(4);
    new DataView(this.bytes.buffer, this.length, 4).setFloat32(0, value, true);
    this.length += 4;
    return this;
  }

  text(field: number, value: string): this {
    return this.blob(field, Buffer.from(value, 'utf8'));
  }

  blob(field: number, value: Uint8Array): this {
    this.varint(field * 8 + 2);
    this.varint(value.length);
    this.reserve(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
    return this;
  }

  message(field: number, write: (writer: ProtobufWriter) => void): this {
    const nested = new ProtobufWriter();
    write(nested);
    return this.blob(field, nested.finish());
  }

  private varint(value: number): void {
    this.reserve(10);
    if (value >= 0 && value < 0x80000000) {
      let small = value;
      while (small > 0x7f) {
        this.bytes[this.length++] = (small & 0x7f) | 0x80;
        small >>>= 7;
      }
      this.bytes[this.length++] = small;
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.bytes[this.length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.bytes[this.length++] = Number(rest);
  }

  private reserve(size: number): void {
    if (this.length + size <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.length + size, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}
