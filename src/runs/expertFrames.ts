import { crc32 } from './crc32';
import { SCHEMA_VERSION, type ExpertFrame } from './format';

/**
 * `experts.bin`, little-endian:
 *   header, 16 bytes: magic `MOEX`, schemaVersion uint32, bytes of a frame uint32, CRC-32 of the 12 bytes before
 *   frames, all of one size: crc32 of the rest of the frame uint32, step uint32, layer uint32, experts uint32, counts float32 [experts],
 *   padded with zeros to the widest layer
 * A frame whose layer is REWIND says that frames of later steps no longer hold: the run was resumed from `step`.
 * Frames lie at fixed places, so one that is torn or spoilt costs only itself: whoever resumes pads a torn one with zeros.
 */
const magic = 0x58454f4d; // 'MOEX' read little-endian
export const HEADER_BYTES = 16;
const frameHead = 16;
export const REWIND = 0xffffffff;

export function frameBytes(widestLayer: number): number {
  return frameHead + 4 * widestLayer;
}

export function encodeHeader(bytesPerFrame: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(HEADER_BYTES));
  view.setUint32(0, magic, true);
  view.setUint32(4, SCHEMA_VERSION, true);
  view.setUint32(8, bytesPerFrame, true);
  const bytes = new Uint8Array(view.buffer);
  view.setUint32(12, crc32(bytes.subarray(0, 12)), true);
  return bytes;
}

/** Bytes of a frame, or undefined when this is not a header this version can read. */
export function decodeHeader(bytes: Uint8Array): number | undefined {
  if (bytes.length < HEADER_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_BYTES);
  if (view.getUint32(0, true) !== magic || view.getUint32(4, true) !== SCHEMA_VERSION) return undefined;
  if (view.getUint32(12, true) !== crc32(bytes.subarray(0, 12))) return undefined;
  const bytesPerFrame = view.getUint32(8, true);
  return bytesPerFrame >= frameHead ? bytesPerFrame : undefined;
}

export function encodeFrame(frame: ExpertFrame, bytesPerFrame: number): Uint8Array {
  const needed = frameBytes(frame.counts.length);
  if (needed > bytesPerFrame) throw new RangeError(`${frame.counts.length} experts do not fit a frame of ${bytesPerFrame} bytes`);
  const view = new DataView(new ArrayBuffer(bytesPerFrame));
  view.setUint32(4, frame.step, true);
  view.setUint32(8, frame.layer, true);
  view.setUint32(12, frame.counts.length, true);
  frame.counts.forEach((count, expert) => view.setFloat32(frameHead + 4 * expert, count, true));
  const bytes = new Uint8Array(view.buffer);
  view.setUint32(0, crc32(bytes.subarray(4)), true);
  return bytes;
}

/** The frame, or undefined when its checksum says that it is spoilt. */
export function decodeFrame(bytes: Uint8Array): ExpertFrame | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0, true) !== crc32(bytes.subarray(4))) return undefined;
  const experts = view.getUint32(12, true);
  if (frameBytes(experts) > bytes.length) return undefined;
  const counts = Float32Array.from({ length: experts }, (_, expert) => view.getFloat32(frameHead + 4 * expert, true));
  return { step: view.getUint32(4, true), layer: view.getUint32(8, true), counts };
}
