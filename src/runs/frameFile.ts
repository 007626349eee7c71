import { crc32 } from './crc32';
import { SCHEMA_VERSION } from './format';

/**
 * A file of frames that all have one size, little-endian:
 *   header, 16 bytes: four letters, schemaVersion uint32, bytes of a frame uint32, CRC-32 of the 12 bytes before
 *   frames: crc32 of the rest of the frame uint32, step uint32, layer uint32, then what the kind of file says, zeros up to the size
 * A frame whose layer is REWIND says that frames of later steps no longer hold: the run was resumed from `step`.
 * Frames lie at fixed places, so one that is torn or spoilt costs only itself: whoever resumes pads a torn one with zeros.
 */
export const HEADER_BYTES = 16;
/** crc32, step and layer. */
export const FRAME_HEAD_BYTES = 12;
export const REWIND = 0xffffffff;

/** What is particular to one kind of such a file. */
export interface FrameFormat<F extends { readonly step: number }> {
  /** Four ASCII letters. */
  readonly magic: string;
  readonly leastFrameBytes: number;
  /** What follows the head of a frame; undefined where it does not fit its frame. `body` views the whole frame. */
  decodeBody(body: DataView, head: { readonly step: number; readonly layer: number }): F | undefined;
}

export function encodeHeader({ magic }: Pick<FrameFormat<never>, 'magic'>, bytesPerFrame: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  for (let index = 0; index < 4; index++) view.setUint8(index, magic.charCodeAt(index));
  view.setUint32(4, SCHEMA_VERSION, true);
  view.setUint32(8, bytesPerFrame, true);
  const bytes = new Uint8Array(view.buffer);
  view.setUint32(12, crc32(bytes.subarray(0, 12)), true);
  return bytes;
}

/** Bytes of a frame, or undefined when this is not a header of the format that this version can read. */
export function decodeHeader(
  { magic, leastFrameBytes }: Pick<FrameFormat<never>, 'magic' | 'leastFrameBytes'>,
  bytes: Uint8Array,
): number | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== magic || view.getUint32(4, true) !== SCHEMA_VERSION) return undefined;
  if (view.getUint32(12, true) !== crc32(bytes.subarray(0, 12))) return undefined;
  const bytesPerFrame = view.getUint32(8, true);
  return bytesPerFrame >= leastFrameBytes ? bytesPerFrame : undefined;
}

/** A frame of that size with its head; `write` fills in the rest. */
export function encodeFrame(
  { step, layer }: { readonly step: number; readonly layer: number },
  bytesPerFrame: number,
  write: (body: DataView) => void = () => undefined,
): Uint8Array {
  const view = new DataView(new ArrayBuffer(bytesPerFrame));
  view.setUint32(4, step, true);
  view.setUint32(8, layer, true);
  write(view);
  const bytes = new Uint8Array(view.buffer);
  view.setUint32(0, crc32(bytes.subarray(4)), true);
  return bytes;
}

/** The frame, the step that it rewinds to, or undefined when it is spoilt. */
export function decodeFrame<F extends { readonly step: number }>(
  { decodeBody }: Pick<FrameFormat<F>, 'decodeBody'>,
  bytes: Uint8Array,
): { readonly frame: F } | { readonly rewindTo: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== crc32(bytes.subarray(4))) return undefined;
  const step = view.getUint32(4, true);
  const layer = view.getUint32(8, true);
  if (layer === REWIND) return { rewindTo: step };
  const frame = decodeBody(view, { step, layer });
  return frame === undefined ? undefined : { frame };
}
