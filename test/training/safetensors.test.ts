import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHeader, encodeHeader, headerLength } from '../../src/training/checkpoint/safetensors';

/*
 * A file written by writeStateFile was opened by hand with the Python package safetensors 0.8.0 (safe_open and numpy.load_file: names, shapes, values and
 * metadata equal), and a file that package wrote was read by decodeHeader.
 */
const header = (json: string, padding = 0) => {
  const bytes = Buffer.alloc(8 + json.length + padding, 0x20);
  bytes.writeBigUInt64LE(BigInt(json.length + padding));
  bytes.write(json, 8, 'latin1');
  return new Uint8Array(bytes);
};
const entry = (shape: string, begin: number, end: number, dtype = 'F32') =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${begin},${end}]}`;

describe('safetensors header', () => {
  it('is, byte for byte, what the format says', () => {
    const { bytes } = encodeHeader(
      [
        { name: 'w', shape: [2, 3] },
        { name: 'b', shape: [] },
      ],
      { format: 'x' },
    );
    const json =
      '{"__metadata__":{"format":"x"},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"F32","shape":[],"data_offsets":[24,28]}}';
    expect(json.length).toBe(141);
    expect(Buffer.from(bytes.subarray(0, 8)).toString('hex')).toBe('9000000000000000');
    expect(Buffer.from(bytes.subarray(8)).toString()).toBe(json + ' '.repeat(3));
  });

  it('places tensors without gaps from a multiple of 8 on, and reads back equal', () => {
    const name = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
      .filter((text) => text !== '__metadata__' && text !== '__proto__');
    const layouts = fc.uniqueArray(fc.record({ name, shape: fc.array(fc.nat(5), { maxLength: 4 }) }), {
      selector: (tensor) => tensor.name,
      maxLength: 8,
    });
    fc.assert(
      fc.property(layouts, (layout) => {
        const { bytes, tensors, fileBytes } = encodeHeader(layout, {});
        expect(bytes.length % 8).toBe(0);
        expect(headerLength(bytes.subarray(0, 8))).toBe(bytes.length);
        const decoded = decodeHeader(bytes);
        expect(decoded).toEqual({ tensors, fileBytes, metadata: {} });
        const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
        expect(decoded.tensors.map((tensor) => ({ name: tensor.name, shape: tensor.shape })).sort(byName)).toEqual(
          [...layout].sort(byName),
        );
      }),
    );
  });

  it('reads headers of other writers: other orders, scalar metadata, no padding', () => {
    const { tensors, metadata, fileBytes } = decodeHeader(
      header(`{"b":${entry('[2]', 4, 12)},"a":${entry('[]', 0, 4)},"__metadata__":{"k":"v"}}`),
    );
    expect(tensors.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(metadata).toEqual({ k: 'v' });
    expect(fileBytes - (tensors[0]?.begin ?? 0)).toBe(12);
  });

  it.each([
    ['a gap', `{"a":${entry('[1]', 0, 4)},"b":${entry('[1]', 8, 12)}}`, 'gap'],
    ['an overlap', `{"a":${entry('[2]', 0, 8)},"b":${entry('[1]', 4, 8)}}`, 'overlaps'],
    ['a size that does not fit the shape', `{"a":${entry('[3]', 0, 8)}}`, '8 bytes for shape [3]'],
    ['another dtype', `{"a":${entry('[2]', 0, 4, 'F16')}}`, 'dtype F16'],
    ['a negative offset', `{"a":${entry('[1]', -4, 0)}}`, 'no proper shape'],
    ['a list', '[]', 'not an object'],
    ['no JSON', '{"a":', 'JSON'],
  ])('refuses %s', (_, json, message) => {
    expect(() => decodeHeader(header(json))).toThrow(message);
  });

  it('refuses impossible lengths before it reads them', () => {
    expect(() => headerLength(new Uint8Array(8).fill(0xff))).toThrow('claims');
    expect(() => headerLength(new Uint8Array(3))).toThrow('shorter than a header');
  });

  it('refuses two tensors of one name', () => {
    expect(() =>
      encodeHeader(
        [
          { name: 'w', shape: [1] },
          { name: 'w', shape: [1] },
        ],
        {},
      ),
    ).toThrow('Two tensors');
  });
});
