/**
 * The header of a safetensors file (github.com/huggingface/safetensors, "Format"): 8 bytes little-endian length N, N bytes of JSON that
 * begin with `{` and may end in spaces, then the tensors' raw little-endian data without gaps. The JSON maps names to dtype, shape and
 * [begin, end) offsets counted from the end of the header; `__metadata__` maps strings to strings. Only F32 here: that is what the training
 * state is.
 */
export interface TensorLayout {
  readonly name: string;
  readonly shape: readonly number[];
}

export interface PlacedTensor extends TensorLayout {
  /** Bytes from the start of the file. */
  readonly begin: number;
  readonly end: number;
}

export interface SafetensorsHeader {
  readonly tensors: readonly PlacedTensor[];
  readonly metadata: Readonly<Record<string, string>>;
  /** Size that the whole file must have. */
  readonly fileBytes: number;
}

const LENGTH_BYTES = 8;
/** The format's own limit, against headers that are garbage. */
const MOST_HEADER_BYTES = 100_000_000;
const METADATA = '__metadata__';

/**
 * The header for tensors stored in the order given, padded with spaces so that the data begins at a multiple of 8, and where each tensor
 * then lies.
 */
export function encodeHeader(
  layout: readonly TensorLayout[],
  metadata: Readonly<Record<string, string>>,
): SafetensorsHeader & { bytes: Uint8Array } {
  const entries: Record<string, unknown> = Object.keys(metadata).length > 0 ? { [METADATA]: metadata } : {};
  let offset = 0;
  for (const { name, shape } of layout) {
    if (Object.hasOwn(entries, name) || name === METADATA) throw new RangeError(`Two tensors have the name "${name}".`);
    const end = offset + byteLength(shape);
    entries[name] = { dtype: 'F32', shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(entries));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(LENGTH_BYTES + headerBytes).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerBytes), true);
  bytes.set(json, LENGTH_BYTES);
  return { ...place(entries, bytes.length), bytes };
}

/** How many bytes the header has with its length field, from the file's first 8 bytes. Throws RangeError where that cannot be. */
export function headerLength(prefix: Uint8Array): number {
  if (prefix.length < LENGTH_BYTES) throw new RangeError('it is shorter than a header');
  const length = Number(new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true));
  if (length < 2 || length > MOST_HEADER_BYTES) throw new RangeError(`its header claims ${length} bytes`);
  return LENGTH_BYTES + length;
}

/** Reads a whole header (length field included). Throws RangeError or SyntaxError where it breaks the format. */
export function decodeHeader(bytes: Uint8Array): SafetensorsHeader {
  const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(LENGTH_BYTES)));
  if (!isRecord(json)) throw new RangeError('its header is not an object');
  return place(json, bytes.length);
}

function place(entries: Readonly<Record<string, unknown>>, dataStart: number): SafetensorsHeader {
  const { [METADATA]: metadata = {}, ...described } = entries;
  if (!isRecord(metadata)) throw new RangeError('its metadata is not an object');
  const tensors = Object.entries(described).map(([name, entry]) => placeTensor(name, entry, dataStart));
  tensors.sort((a, b) => a.begin - b.begin || a.end - b.end);
  let end = dataStart;
  for (const tensor of tensors) {
    if (tensor.begin !== end) throw new RangeError(`tensor "${tensor.name}" leaves a gap or overlaps`);
    end = tensor.end;
  }
  return { tensors, metadata: Object.fromEntries(Object.entries(metadata).map(([key, value]) => [key, String(value)])), fileBytes: end };
}

function placeTensor(name: string, entry: unknown, dataStart: number): PlacedTensor {
  if (!isRecord(entry)) throw new RangeError(`tensor "${name}" is not described`);
  const { dtype, shape, data_offsets: offsets } = entry;
  if (dtype !== 'F32') throw new RangeError(`tensor "${name}" has dtype ${String(dtype)}; only F32 is read`);
  if (!isSizes(shape) || !isSizes(offsets) || offsets.length !== 2) throw new RangeError(`tensor "${name}" has no proper shape or place`);
  const [begin = 0, end = 0] = offsets;
  if (end - begin !== byteLength(shape)) throw new RangeError(`tensor "${name}" has ${end - begin} bytes for shape [${shape.join(', ')}]`);
  return { name, shape, begin: dataStart + begin, end: dataStart + end };
}

export function byteLength(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, Float32Array.BYTES_PER_ELEMENT);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
