import { POINT_STRIDE } from '../panels/dashboard-protocol';

/** One logged point of a curve. */
export interface CurvePoint {
  readonly step: number;
  readonly seconds: number;
  readonly tokens: number;
  readonly value: number;
}

/** The points with the least and the greatest value among those with floor(step / bucketSteps) = key. */
interface Bucket {
  readonly key: number;
  readonly low: CurvePoint;
  readonly high: CurvePoint;
}

/** Points sent so far, at one resolution; see `MinMaxPyramid.since`. */
export interface PyramidCursor {
  readonly level: number;
  readonly revision: number;
  /** Key of the last bucket sent, which may have been incomplete. */
  readonly lastKey: number;
  readonly truncations: number;
}

export interface PyramidDelta {
  readonly cursor: PyramidCursor;
  /** First step that `points` replaces. */
  readonly from: number;
  /** float64 [n, POINT_STRIDE]: step, seconds, tokens, value. */
  readonly points: Float64Array<ArrayBuffer>;
}

/**
 * A curve at every resolution: level k keeps the extreme points of each 2^k steps, so that a spike survives whatever the zoom.
 * Buckets are keyed by step, hence the result does not depend on how the points arrived. Memory is bounded: when the finest level
 * outgrows `capacity`, it is dropped and the next takes its place.
 */
export class MinMaxPyramid {
  /** levels[i] has buckets of 2^(base + i) steps; the coarsest has at most `TOP` of them. */
  private levels: Bucket[][] = [[]];
  private base = 0;
  private revision = 0;
  private truncations = 0;

  constructor(private readonly capacity = 32_768) {}

  /** Buckets held over all levels. */
  get size(): number {
    return this.levels.reduce((sum, level) => sum + level.length, 0);
  }

  /** Buckets of the finest level: the number of points, until that level has been dropped. */
  get length(): number {
    return this.levels[0]?.length ?? 0;
  }

  /** The last point, of those that are extremes of their bucket; exactly the last one while the finest level is one step. */
  get last(): CurvePoint | undefined {
    const bucket = this.levels[0]?.at(-1);
    return bucket === undefined || bucket.low.step > bucket.high.step ? bucket?.low : bucket.high;
  }

  /** Steps must ascend; not finite values are left out, since no axis can show them. */
  append(point: CurvePoint): void {
    if (!Number.isFinite(point.value)) return;
    this.revision++;
    for (const [index, level] of this.levels.entries()) addTo(level, point, 2 ** (this.base + index));
    this.grow();
  }

  /** Forgets points with step >= cut: a resume goes on from an earlier checkpoint and writes those steps again. */
  truncate(cut: number): void {
    this.revision++;
    this.truncations++;
    this.levels = this.levels.map((level) => level.flatMap((bucket) => cutBucket(bucket, cut)));
  }

  /** What has changed after `cursor` (everything where it is null) for a chart `width` pixels wide; null where nothing has. */
  since(cursor: PyramidCursor | null, width: number): PyramidDelta | null {
    if (cursor?.revision === this.revision) return null;
    const fits = this.levels.findIndex((level) => level.length <= width);
    const index = fits === -1 ? this.levels.length - 1 : fits;
    const level = this.base + index;
    const buckets = this.levels[index] ?? [];
    const continues = cursor !== null && cursor.level === level && cursor.truncations === this.truncations;
    const first = continues ? lastIndexBelow(buckets, cursor.lastKey) + 1 : 0;
    const fresh = buckets.slice(first);
    const lastKey = buckets.at(-1)?.key ?? -1;
    return {
      cursor: { level, revision: this.revision, lastKey, truncations: this.truncations },
      from: continues ? Math.max(0, cursor.lastKey * 2 ** level) : 0,
      points: pointsOf(fresh),
    };
  }

  /** Adds coarser levels until one has few buckets, and drops the finest when there are too many. */
  private grow(): void {
    for (let coarsest = this.levels.at(-1); coarsest !== undefined && coarsest.length > TOP; coarsest = this.levels.at(-1)) {
      this.levels.push(coarsen(coarsest, 2 ** (this.base + this.levels.length)));
    }
    if ((this.levels[0]?.length ?? 0) > this.capacity && this.levels.length > 1) {
      this.levels.shift();
      this.base++;
    }
  }
}

/** Buckets of the coarsest level: fewer than any chart has pixels. */
const TOP = 64;

function addTo(level: Bucket[], point: CurvePoint, bucketSteps: number): void {
  const key = Math.floor(point.step / bucketSteps);
  const last = level.at(-1);
  if (last?.key === key) level[level.length - 1] = merge(last, { key, low: point, high: point });
  else level.push({ key, low: point, high: point });
}

/** Ties go to the earlier point. */
function merge(earlier: Bucket, later: Bucket): Bucket {
  return {
    key: earlier.key,
    low: later.low.value < earlier.low.value ? later.low : earlier.low,
    high: later.high.value > earlier.high.value ? later.high : earlier.high,
  };
}

function coarsen(finer: readonly Bucket[], bucketSteps: number): Bucket[] {
  const coarse: Bucket[] = [];
  for (const bucket of finer) {
    const key = Math.floor(bucket.low.step / bucketSteps);
    const last = coarse.at(-1);
    if (last?.key === key) coarse[coarse.length - 1] = merge(last, bucket);
    else coarse.push({ ...bucket, key });
  }
  return coarse;
}

/** What is left of a bucket before the cut: of the bucket that the cut goes through, the extremes that lie before it. */
function cutBucket(bucket: Bucket, cut: number): Bucket[] {
  const kept = [bucket.low, bucket.high].filter((point) => point.step < cut);
  const [low, high = low] = kept;
  return low === undefined || high === undefined ? [] : [{ key: bucket.key, low, high }];
}

/** Index of the last bucket with a key below `key`, -1 where there is none. */
function lastIndexBelow(buckets: readonly Bucket[], key: number): number {
  let index = buckets.length - 1;
  while (index >= 0 && (buckets[index]?.key ?? 0) >= key) index--;
  return index;
}

function pointsOf(buckets: readonly Bucket[]): Float64Array<ArrayBuffer> {
  const points = buckets.flatMap(({ low, high }) => (low === high ? [low] : low.step < high.step ? [low, high] : [high, low]));
  const flat = new Float64Array(points.length * POINT_STRIDE);
  for (const [index, point] of points.entries()) {
    flat.set([point.step, point.seconds, point.tokens, point.value], index * POINT_STRIDE);
  }
  return flat;
}
