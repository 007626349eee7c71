import { expertFormat } from './expertFrames';
import { readTail } from './fileTail';
import type { EventLine, ExpertFrame, MetricsLine, SketchFrame } from './format';
import { decodeFrame, decodeHeader, HEADER_BYTES, type FrameFormat } from './frameFile';
import { parseEvent, parseMetrics, parseRewind } from './recordSchemas';
import { runFiles } from './runFiles';
import { sketchFormat } from './sketchFrames';

/** How far a file has been read; start with `start`, then pass what the last read gave back. A plain value: it can be stored. */
export interface Cursor {
  readonly offset: number;
}

export const start: Cursor = { offset: 0 };

/**
 * What is new since a cursor. First drop what you hold of steps after `rewindTo` (unless null: nothing to drop), then append
 * `records`. `rewindTo` is -1 when the file was replaced and everything held is void.
 */
export interface Increment<R> {
  readonly cursor: Cursor;
  readonly rewindTo: number | null;
  readonly records: readonly R[];
  /** Lines or frames that could not be understood and were skipped. */
  readonly corrupt: number;
}

/** Applies an increment to what a caller holds, in place. */
export function applyIncrement<R extends { readonly step: number }>(held: R[], increment: Increment<R>): void {
  const { rewindTo } = increment;
  if (rewindTo !== null) rewind(held, rewindTo);
  for (const record of increment.records) held.push(record);
}

/** `limit`: at most this many bytes in one read, for tests and for very long runs; what is left comes with the next read. */
export interface ReadOptions {
  readonly limit?: number;
}

export async function readMetrics(run: string, cursor: Cursor, options: ReadOptions = {}): Promise<Increment<MetricsLine>> {
  return readLines(runFiles.metrics(run), cursor, parseMetrics, options);
}

export async function readEvents(run: string, cursor: Cursor, options: ReadOptions = {}): Promise<Increment<EventLine>> {
  return readLines(runFiles.events(run), cursor, parseEvent, options);
}

export async function readExperts(run: string, cursor: Cursor, options: ReadOptions = {}): Promise<Increment<ExpertFrame>> {
  return readFrames(runFiles.experts(run), expertFormat, cursor, options);
}

/** Nothing where the run has no retrievals. */
export async function readSketches(run: string, cursor: Cursor, options: ReadOptions = {}): Promise<Increment<SketchFrame>> {
  return readFrames(runFiles.sketches(run), sketchFormat, cursor, options);
}

async function readFrames<F extends { readonly step: number }>(
  file: string,
  format: FrameFormat<F>,
  cursor: Cursor,
  options: ReadOptions,
): Promise<Increment<F>> {
  const header = await readTail(file, 0, HEADER_BYTES);
  const bytesPerFrame = header === undefined ? undefined : decodeHeader(format, header.bytes);
  if (header === undefined || bytesPerFrame === undefined) {
    // Not there yet, or its header is still being written; a header of another kind counts as one corrupt record, once.
    const foreign = header !== undefined && header.bytes.length === HEADER_BYTES && cursor.offset === 0;
    return { cursor: foreign ? { offset: HEADER_BYTES } : cursor, rewindTo: null, records: [], corrupt: foreign ? 1 : 0 };
  }
  const replaced = header.size < cursor.offset;
  const offset = replaced ? HEADER_BYTES : Math.max(HEADER_BYTES, cursor.offset);
  // At least one frame, or the reader would never advance.
  const tail = await readTail(file, offset, options.limit === undefined ? undefined : Math.max(options.limit, bytesPerFrame));
  const collected = new Collected<F>(replaced);
  const bytes = tail?.bytes ?? new Uint8Array();
  let position = 0;
  for (; position + bytesPerFrame <= bytes.length; position += bytesPerFrame) {
    const read = decodeFrame(format, bytes.subarray(position, position + bytesPerFrame));
    if (read === undefined) collected.corrupt++;
    else if ('rewindTo' in read) collected.rewind(read.rewindTo);
    else collected.records.push(read.frame);
  }
  return collected.increment(offset + position);
}

const newline = 0x0a;

async function readLines<R extends { readonly step: number }>(
  file: string,
  cursor: Cursor,
  parse: (value: unknown) => R | undefined,
  { limit }: ReadOptions,
): Promise<Increment<R>> {
  let tail = await readTail(file, cursor.offset, limit);
  if (tail === undefined) return { cursor, rewindTo: null, records: [], corrupt: 0 };
  const replaced = tail.size < cursor.offset;
  const offset = replaced ? 0 : cursor.offset;
  if (replaced) tail = (await readTail(file, 0, limit)) ?? tail;
  if (limit !== undefined && tail.bytes.length === limit && !tail.bytes.includes(newline)) {
    tail = (await readTail(file, offset)) ?? tail; // A line longer than the limit.
  }
  const collected = new Collected<R>(replaced);
  // The last line may still be being written: it stays for the next read.
  const end = tail.bytes.lastIndexOf(newline) + 1;
  const text = new TextDecoder().decode(tail.bytes.subarray(0, end));
  for (const line of text.split('\n')) {
    if (line !== '') collectLine(line, parse, collected);
  }
  return collected.increment(offset + end);
}

function collectLine<R extends { readonly step: number }>(
  line: string,
  parse: (value: unknown) => R | undefined,
  collected: Collected<R>,
): void {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    collected.corrupt++;
    return;
  }
  if (typeof value === 'object' && value !== null && 'schemaVersion' in value) return;
  const rewindTo = parseRewind(value);
  if (rewindTo !== undefined) {
    collected.rewind(rewindTo);
    return;
  }
  const record = parse(value);
  if (record === undefined) collected.corrupt++;
  else collected.records.push(record);
}

class Collected<R extends { readonly step: number }> {
  readonly records: R[] = [];
  corrupt = 0;
  private rewindTo: number | null;

  constructor(replaced: boolean) {
    this.rewindTo = replaced ? -1 : null;
  }

  rewind(step: number): void {
    rewind(this.records, step);
    this.rewindTo = Math.min(this.rewindTo ?? step, step);
  }

  increment(offset: number): Increment<R> {
    return { cursor: { offset }, rewindTo: this.rewindTo, records: this.records, corrupt: this.corrupt };
  }
}

/** Steps only rise between rewinds, so what goes lies at the end. */
function rewind(records: { readonly step: number }[], step: number): void {
  let length = records.length;
  while (length > 0 && (records[length - 1]?.step ?? 0) > step) length--;
  records.length = length;
}
