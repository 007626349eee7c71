import type { ExpertFrame } from './format';
import { encodeFrame, FRAME_HEAD_BYTES, type FrameFormat } from './frameFile';

/** `experts.bin`: after the head of a frame experts uint32, counts float32 [experts]. */
const countsAt = FRAME_HEAD_BYTES + 4;

export function expertFrameBytes(widestLayer: number): number {
  return countsAt + 4 * widestLayer;
}

export const expertFormat: FrameFormat<ExpertFrame> = {
  magic: 'MOEX',
  leastFrameBytes: countsAt,
  decodeBody(body, head) {
    const experts = body.getUint32(FRAME_HEAD_BYTES, true);
    if (expertFrameBytes(experts) > body.byteLength) return undefined;
    return { ...head, counts: Float32Array.from({ length: experts }, (_, expert) => body.getFloat32(countsAt + 4 * expert, true)) };
  },
};

export function encodeExpertFrame(frame: ExpertFrame, bytesPerFrame: number): Uint8Array {
  const { counts } = frame;
  if (expertFrameBytes(counts.length) > bytesPerFrame) {
    throw new RangeError(`${counts.length} experts do not fit a frame of ${bytesPerFrame} bytes`);
  }
  return encodeFrame(frame, bytesPerFrame, (body) => {
    body.setUint32(FRAME_HEAD_BYTES, counts.length, true);
    counts.forEach((count, expert) => body.setFloat32(countsAt + 4 * expert, count, true));
  });
}
