import { SKETCH_BINS, SKETCH_GROUPS, SKETCH_HEAVIEST, type SketchFrame } from './format';
import { encodeFrame, FRAME_HEAD_BYTES, type FrameFormat } from './frameFile';

/**
 * `sketches.bin`: after the head of a frame, at these bytes of it,
 *   12 experts uint32, 16 total float64, 24 unevenness float64, 32 heaviest uint32, 36 groups uint32,
 *   40 histogram uint32 [32], 168 heaviest experts uint32 [64], 424 their counts float64 [64],
 *   936 groups float32 [groups], then a bit per expert, least significant first
 */
const at = { experts: FRAME_HEAD_BYTES, total: 16, unevenness: 24, heaviest: 32, groups: 36, histogram: 40 } as const;
const heaviestExperts = at.histogram + 4 * SKETCH_BINS;
const heaviestCounts = heaviestExperts + 4 * SKETCH_HEAVIEST;
const groupsStart = heaviestCounts + 8 * SKETCH_HEAVIEST;

/**
 * Groups of a retrieval: expert e lies in group floor(e groups / experts), so that neighbours are together and sizes differ by one at most.
 */
export function groupsOf(experts: number): number {
  return Math.min(experts, SKETCH_GROUPS);
}

export function sketchFrameBytes(experts: number): number {
  return groupsStart + 4 * groupsOf(experts) + Math.ceil(experts / 8);
}

export const sketchFormat: FrameFormat<SketchFrame> = {
  magic: 'MOES',
  leastFrameBytes: groupsStart,
  decodeBody(body, head) {
    const experts = body.getUint32(at.experts, true);
    const heaviest = body.getUint32(at.heaviest, true);
    const groups = body.getUint32(at.groups, true);
    if (groups !== groupsOf(experts) || heaviest > SKETCH_HEAVIEST || sketchFrameBytes(experts) > body.byteLength) return undefined;
    const used = new Uint8Array(body.buffer, body.byteOffset + groupsStart + 4 * groups, Math.ceil(experts / 8));
    return {
      ...head,
      total: body.getFloat64(at.total, true),
      unevenness: body.getFloat64(at.unevenness, true),
      histogram: Uint32Array.from({ length: SKETCH_BINS }, (_, bin) => body.getUint32(at.histogram + 4 * bin, true)),
      heaviest: Array.from({ length: heaviest }, (_, place) => ({
        expert: body.getUint32(heaviestExperts + 4 * place, true),
        count: body.getFloat64(heaviestCounts + 8 * place, true),
      })),
      groups: Float32Array.from({ length: groups }, (_, group) => body.getFloat32(groupsStart + 4 * group, true)),
      // A copy: a view would keep the whole block that was read.
      used: Uint8Array.from(used),
    };
  },
};

/** `experts`: of the retrieval; it may have fewer than the widest one, which the frame was made for. */
export function encodeSketchFrame(frame: SketchFrame, experts: number, bytesPerFrame: number): Uint8Array {
  if (sketchFrameBytes(experts) > bytesPerFrame) {
    throw new RangeError(`A sketch of ${experts} experts does not fit a frame of ${bytesPerFrame} bytes`);
  }
  const { total, unevenness, histogram, heaviest, groups, used } = frame;
  if (groups.length !== groupsOf(experts) || used.length !== Math.ceil(experts / 8) || heaviest.length > SKETCH_HEAVIEST) {
    throw new RangeError(`This is no sketch of ${experts} experts`);
  }
  return encodeFrame(frame, bytesPerFrame, (body) => {
    body.setUint32(at.experts, experts, true);
    body.setFloat64(at.total, total, true);
    body.setFloat64(at.unevenness, unevenness, true);
    body.setUint32(at.heaviest, heaviest.length, true);
    body.setUint32(at.groups, groups.length, true);
    histogram.forEach((count, bin) => body.setUint32(at.histogram + 4 * bin, count, true));
    heaviest.forEach(({ expert, count }, place) => {
      body.setUint32(heaviestExperts + 4 * place, expert, true);
      body.setFloat64(heaviestCounts + 8 * place, count, true);
    });
    groups.forEach((count, group) => body.setFloat32(groupsStart + 4 * group, count, true));
    new Uint8Array(body.buffer).set(used, groupsStart + 4 * groups.length);
  });
}
