import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExpertFrame, MetricsLine, SketchFrame } from '../../src/runs/format';
import { runFiles } from '../../src/runs/runFiles';
import {
  applyIncrement,
  readEvents,
  readExperts,
  readMetrics,
  readSketches,
  start,
  type Cursor,
  type Increment,
} from '../../src/runs/runReader';
import { RunWriter } from '../../src/runs/runWriter';
import { sketchOf } from '../../src/runs/sketch';
import { aDescription, aLine, temporaryFolder } from './fixtures';

/** Retrievals of different sizes: the frames of the smaller one are padded. */
const description = aDescription({
  retrievals: [
    { name: 'layers.0.product_keys', experts: 16, k: 4 },
    { name: 'layers.2.product_keys', experts: 9, k: 4 },
  ],
});

function aSketch(step: number): SketchFrame {
  const layer = step % 2;
  return { step, layer, ...sketchOf(Float64Array.from({ length: layer === 0 ? 16 : 9 }, (_, expert) => (expert * step) % 5)) };
}

async function readAll<R extends { readonly step: number }>(
  read: (run: string, cursor: Cursor) => Promise<Increment<R>>,
  run: string,
): Promise<{ records: R[]; corrupt: number }> {
  const increment = await read(run, start);
  return { records: [...increment.records], corrupt: increment.corrupt };
}

/** What a run did: trained a step (with the given loss), or was killed and resumed from an earlier step. */
const history = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('step' as const), loss: fc.oneof(fc.double(), fc.constant(Number.NaN)) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('resume' as const), back: fc.nat(5) }) },
  ),
  { maxLength: 40 },
);

function writeHistory(
  run: string,
  events: readonly ({ kind: 'step'; loss: number } | { kind: 'resume'; back: number })[],
): {
  lines: MetricsLine[];
  frames: ExpertFrame[];
  sketches: SketchFrame[];
} {
  const writer = new RunWriter(run, description);
  const lines = new Map<number, MetricsLine>();
  const frames = new Map<number, ExpertFrame>();
  const sketches = new Map<number, SketchFrame>();
  let step = 0;
  for (const event of events) {
    if (event.kind === 'resume') {
      const checkpoint = Math.max(0, step - event.back);
      for (let lost = checkpoint + 1; lost <= step; lost++) {
        lines.delete(lost);
        frames.delete(lost);
        sketches.delete(lost);
      }
      step = checkpoint;
      writer.rewind(step);
      continue;
    }
    step++;
    const line = aLine(step, Number.isFinite(event.loss) ? event.loss || 0 : 0);
    const frame = { step, layer: step % 2, counts: Float32Array.of(step, 2 * step).subarray(0, 2) };
    writer.metrics(line);
    writer.experts(frame);
    writer.sketch(aSketch(step));
    lines.set(step, line);
    frames.set(step, frame);
    sketches.set(step, aSketch(step));
  }
  writer.close();
  return { lines: [...lines.values()], frames: [...frames.values()], sketches: [...sketches.values()] };
}

describe('incremental readers', () => {
  it('give the same result however the file is cut into reads, over any history of steps and resumes', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 8 }), async (events, cuts) => {
        const source = temporaryFolder();
        const expected = writeHistory(source, events);
        const growing = temporaryFolder();
        for (const [file, read, wanted] of [
          [runFiles.metrics, readMetrics, expected.lines],
          [runFiles.experts, readExperts, expected.frames],
          [runFiles.sketches, readSketches, expected.sketches],
        ] as const) {
          const bytes = readFileSync(file(source));
          writeFileSync(file(growing), '');
          const held: { readonly step: number }[] = [];
          let cursor = start;
          for (let position = 0, cut = 0; position < bytes.length; cut++) {
            const size = cuts[cut % cuts.length] ?? 1;
            appendFileSync(file(growing), bytes.subarray(position, position + size));
            position += size;
            const increment: Increment<{ readonly step: number }> = await read(growing, cursor);
            expect(increment.corrupt).toBe(0);
            applyIncrement(held, increment);
            cursor = increment.cursor;
          }
          expect(held).toEqual(wanted);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('give the same result when a single read may take only so many bytes', async () => {
    const run = temporaryFolder();
    const { lines } = writeHistory(
      run,
      Array.from({ length: 30 }, () => ({ kind: 'step' as const, loss: 1 })),
    );
    const held: MetricsLine[] = [];
    let cursor = start;
    let reads = 0;
    for (let before = -1; before !== cursor.offset; reads++) {
      before = cursor.offset;
      const increment = await readMetrics(run, cursor, { limit: 300 });
      applyIncrement(held, increment);
      cursor = increment.cursor;
    }
    expect(held).toEqual(lines);
    expect(reads).toBeGreaterThan(5);
    expect((await readMetrics(run, start, { limit: 3 })).cursor.offset).toBeGreaterThan(0);
  });

  it('read nothing where nothing was written yet', async () => {
    const run = temporaryFolder();
    for (const read of [readMetrics, readEvents, readExperts, readSketches]) {
      expect(await read(run, start)).toEqual({ cursor: start, rewindTo: null, records: [], corrupt: 0 });
    }
  });

  it('leave a torn last line for later, and count it once a resume has closed it off', async () => {
    const run = temporaryFolder();
    writeHistory(run, [
      { kind: 'step', loss: 1 },
      { kind: 'step', loss: 2 },
    ]);
    truncateSync(runFiles.metrics(run), statSync(runFiles.metrics(run)).size - 5);
    for (const file of [runFiles.experts(run), runFiles.sketches(run)]) truncateSync(file, statSync(file).size - 5);
    expect((await readMetrics(run, start)).records).toEqual([aLine(1, 1)]);
    expect((await readMetrics(run, start)).corrupt).toBe(0);
    expect((await readExperts(run, start)).records).toHaveLength(1);
    expect((await readSketches(run, start)).records).toEqual([aSketch(1)]);

    const resumed = new RunWriter(run, description);
    resumed.rewind(1);
    resumed.metrics(aLine(2, 3));
    resumed.experts({ step: 2, layer: 0, counts: Float32Array.of(7, 8, 9) });
    resumed.sketch(aSketch(2));
    resumed.close();
    expect(await readAll(readSketches, run)).toEqual({ records: [aSketch(1), aSketch(2)], corrupt: 1 });
    expect(await readAll(readMetrics, run)).toEqual({ records: [aLine(1, 1), aLine(2, 3)], corrupt: 1 });
    const experts = await readAll(readExperts, run);
    expect(experts.corrupt).toBe(1);
    expect(experts.records.map(({ step, counts }) => [step, ...counts])).toEqual([
      [1, 1, 2],
      [2, 7, 8, 9],
    ]);
  });

  it('skip what they cannot understand, keep what they can do without, and say how much was skipped', async () => {
    const run = temporaryFolder();
    writeFileSync(
      runFiles.metrics(run),
      [
        '{"schemaVersion":1}',
        '{"step":1,"time":1,"tokens":2,"train":{"loss":"NaN","crossEntropy":"Infinity"},"fromTheFuture":[1]}',
        'not json',
        '{"time":1}',
        '{"step":-4,"time":1,"tokens":2}',
        '{"step":2}',
        '{"step":3,"time":2,"tokens":4,"train":{"loss":1,"crossEntropy":1,"balance":2,"zLoss":"NaN","dropRate":0.25}}',
        '{"step":3,"time":2,"tokens":4,"validation":{"prose":{"loss":1,"perplexity":2.7,"dropRate":0}}}',
        '{"step":4,"time":2,"tokens":4,"train":{"loss":1,"crossEntropy":1,"dropRate":"much"}}',
        '',
      ].join('\n'),
    );
    const { records, corrupt, rewindTo } = await readMetrics(run, start);
    expect(records).toEqual([
      { step: 1, time: 1, tokens: 2, train: { loss: 'NaN', crossEntropy: 'Infinity' } },
      { step: 2, time: 0, tokens: 0 },
      { step: 3, time: 2, tokens: 4, train: { loss: 1, crossEntropy: 1, balance: 2, zLoss: 'NaN', dropRate: 0.25 } },
      { step: 3, time: 2, tokens: 4, validation: { prose: { loss: 1, perplexity: 2.7, dropRate: 0 } } },
    ]);
    expect(corrupt).toBe(4);
    expect(rewindTo).toBeNull();
  });

  it('skip a spoilt frame and read the ones after it', async () => {
    const run = temporaryFolder();
    writeHistory(
      run,
      Array.from({ length: 5 }, () => ({ kind: 'step' as const, loss: 1 })),
    );
    const bytes = readFileSync(runFiles.experts(run));
    const spoilt = 16 + 2 * 28 + 20;
    bytes[spoilt] = (bytes[spoilt] ?? 0) ^ 0x40;
    writeFileSync(runFiles.experts(run), bytes);
    const { records, corrupt } = await readAll(readExperts, run);
    expect(corrupt).toBe(1);
    expect(records.map((frame) => frame.step)).toEqual([1, 2, 4, 5]);
  });

  it('start over when the file was replaced by a shorter one', async () => {
    const run = temporaryFolder();
    writeHistory(
      run,
      Array.from({ length: 5 }, () => ({ kind: 'step' as const, loss: 1 })),
    );
    const held: MetricsLine[] = [];
    const first = await readMetrics(run, start);
    applyIncrement(held, first);
    writeFileSync(runFiles.metrics(run), `{"schemaVersion":1}\n${JSON.stringify(aLine(1, 9))}\n`);
    applyIncrement(held, await readMetrics(run, first.cursor));
    expect(held).toEqual([aLine(1, 9)]);
  });

  it('read events', async () => {
    const run = temporaryFolder();
    const writer = new RunWriter(run, { routedLayers: [], retrievals: [] });
    writer.event({ time: '2026-03-01T12:00:00.000Z', step: 0, kind: 'started', message: 'on cpu' });
    writer.close();
    expect((await readEvents(run, start)).records).toEqual([
      { time: '2026-03-01T12:00:00.000Z', step: 0, kind: 'started', message: 'on cpu' },
    ]);
  });
});
