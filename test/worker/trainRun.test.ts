import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { experimentSchema } from '../../src/config/schema';
import { createEngine } from '../../src/engine/onnx/createEngine';
import type { MetricsLine } from '../../src/runs/format';
import { failureRemedy } from '../../src/runs/failureRemedy';
import { readStatus } from '../../src/runs/readRun';
import { runFiles } from '../../src/runs/runFiles';
import { readEvents, readExperts, readMetrics, readSketches, start } from '../../src/runs/runReader';
import { summariseRun } from '../../src/runs/runIndex';
import { readRunResult } from '../../src/runs/runResult';
import { writeDescription } from '../../src/runs/runWriter';
import { RunClient } from '../../src/worker/client';
import { leaveRequest } from '../../src/worker/requestFiles';
import type { RunListener } from '../../src/worker/runRecorder';
import { trainRun } from '../../src/worker/trainRun';
import { temporaryFolder, tinyDisk } from '../runs/fixtures';
import { createTinyRun } from './experiments';

function train(run: string, listener: RunListener = {}, signal?: AbortSignal, onStopRequested: () => void = () => undefined) {
  const log: string[] = [];
  const engine = createEngine('cpu');
  return trainRun({
    run,
    engine,
    listener,
    onStopRequested,
    log: (message) => log.push(message),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** What must not depend on when it was measured. */
function figures(lines: readonly MetricsLine[]) {
  return lines.map(({ step, tokens, train, validation, gradientNorm, learningRate }) => ({
    step,
    tokens,
    train,
    validation,
    gradientNorm,
    learningRate,
  }));
}

const checkpoints = (run: string) => readdirSync(runFiles.checkpoints(run)).sort();

describe('training a run', () => {
  it('fills the run directory', async () => {
    const { run, description } = await createTinyRun(temporaryFolder());
    expect(description.routedLayers).toMatchObject([{ experts: 4, k: 2, unitsPerToken: 2 }]);
    const status = await train(run);
    expect(status).toMatchObject({ state: 'finished', step: 6, failure: null, address: null, pid: process.pid });
    expect(await readStatus(run)).toEqual(status);

    const { records, corrupt } = await readMetrics(run, start);
    expect(corrupt).toBe(0);
    expect(records.filter((line) => line.train !== undefined).map((line) => line.step)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(records.filter((line) => line.validation !== undefined).map((line) => line.step)).toEqual([0, 3, 6]);
    const first = records.find((line) => line.train !== undefined);
    // An untrained model over 256 bytes knows nothing: ln 256 nats.
    expect(first?.train?.crossEntropy).toBeCloseTo(Math.log(256), 1);
    expect(first?.tokens).toBe(64);

    const experts = await readExperts(run, start);
    expect(experts.records.map((frame) => frame.step)).toEqual([1, 2, 3, 4, 5, 6]);
    // Every sub-token of the batch takes two experts.
    for (const { counts } of experts.records) expect(counts.reduce((sum, count) => sum + count)).toBe(64 * 2 * 2);
    const events = (await readEvents(run, start)).records.map((event) => event.kind);
    expect(events).toEqual(['started', 'checkpoint', 'checkpoint', 'checkpoint', 'finished']);
    expect(checkpoints(run)).toEqual(['step-4', 'step-6']);
  });

  it('goes on after a stop as if it had never been stopped', async () => {
    const { run: whole } = await createTinyRun(temporaryFolder());
    await train(whole);
    const { run } = await createTinyRun(temporaryFolder());
    const stop = new AbortController();
    const stopped = await train(run, { onMetrics: ({ step }) => step === 3 && stop.abort() }, stop.signal);
    expect(stopped).toMatchObject({ state: 'stopped', step: 3 });
    expect(checkpoints(run)).toContain('step-3');
    const finished = await train(run);
    expect(finished).toMatchObject({ state: 'finished', step: 6 });
    expect(figures((await readMetrics(run, start)).records)).toEqual(figures((await readMetrics(whole, start)).records));
    expect((await readExperts(run, start)).records).toEqual((await readExperts(whole, start)).records);
  });

  it('tells that a stop was asked for, also where there is nothing left to be stopped', async () => {
    for (const [at, state] of [
      [3, 'stopped'],
      [6, 'finished'],
    ] as const) {
      const { run } = await createTinyRun(temporaryFolder());
      const stop = new AbortController();
      let asked = 0;
      const atCheckpoint: RunListener = {
        onMetrics: ({ step, train: line }) => at === 3 && step === at && line !== undefined && stop.abort(),
        onEvent: ({ kind, step }) => kind === 'checkpoint' && step === at && stop.abort(),
      };
      expect(await train(run, atCheckpoint, stop.signal, () => asked++)).toMatchObject({ state, step: at });
      expect(asked).toBe(1);
    }
    let unasked = 0;
    await train((await createTinyRun(temporaryFolder())).run, {}, undefined, () => unasked++);
    expect(unasked).toBe(0);
  });

  it('sketches what it retrieves, and goes on after a stop as if it had never been stopped', async () => {
    const peer = { model: 'product_keys: { experts: 64, heads: 2, top_k: 3, key_width: 8, layers: [0, 1] }' };
    const { run: whole, description } = await createTinyRun(temporaryFolder(), peer);
    expect(description.retrievals).toEqual([
      { name: 'layers.0.product_keys', experts: 64, k: 6 },
      { name: 'layers.1.product_keys', experts: 64, k: 6 },
    ]);
    expect(await train(whole)).toMatchObject({ state: 'finished', failure: null });
    const { run } = await createTinyRun(temporaryFolder(), peer);
    const stop = new AbortController();
    expect(await train(run, { onMetrics: ({ step }) => step === 3 && stop.abort() }, stop.signal)).toMatchObject({
      state: 'stopped',
      step: 3,
    });
    expect(await train(run)).toMatchObject({ state: 'finished', step: 6 });

    const { records } = await readMetrics(whole, start);
    expect(figures((await readMetrics(run, start)).records)).toEqual(figures(records));
    const sketches = await readSketches(whole, start);
    expect((await readSketches(run, start)).records).toEqual(sketches.records);
    expect(sketches.corrupt).toBe(0);
    expect(sketches.records.map(({ step, layer }) => [step, layer])).toEqual(
      [1, 2, 3, 4, 5, 6].flatMap((step) => [
        [step, 0],
        [step, 1],
      ]),
    );
    // Every token of the batch takes three experts in each of two heads.
    for (const { total } of sketches.records) expect(total).toBe(64 * 6);
    for (const { step, train: figures } of records) {
      if (figures === undefined) continue;
      const used = sketches.records.filter((frame) => frame.step === step).map(({ histogram }) => (64 - (histogram[0] ?? 0)) / 64);
      expect(figures.expertUsage).toBeCloseTo(used.reduce((sum, share) => sum + share, 0) / 2, 12);
    }
    const validated = records.filter((line) => line.validation !== undefined).flatMap((line) => Object.values(line.validation ?? {}));
    expect(validated).toHaveLength(3);
    for (const set of validated) {
      expect(set.expertUsage).toBeGreaterThan(0);
      expect(set.unevenness).toBeGreaterThan(0);
    }
  });

  it('says how many experts are idle, after a stop as if it had never been stopped, and raises the alarm', async () => {
    // Without balancing most of the experts of so small a model are never chosen.
    const model = 'moe: { kind: smoe, every: 2, experts: 32, top_k: 1, expert_width: 8, router: { balance: none } }';
    const experiment = { model, steps: 120, learningRate: 0.03, checkpointEvery: 1000, evaluateEvery: 1000 };
    const { run: whole } = await createTinyRun(temporaryFolder(), experiment);
    expect(await train(whole)).toMatchObject({ state: 'finished', failure: null });
    const { run, description } = await createTinyRun(temporaryFolder(), experiment);
    const stop = new AbortController();
    expect(await train(run, { onMetrics: ({ step }) => step === 47 && stop.abort() }, stop.signal)).toMatchObject({ step: 47 });
    expect(await train(run)).toMatchObject({ state: 'finished', step: 120 });

    const { records } = await readMetrics(whole, start);
    expect(figures((await readMetrics(run, start)).records)).toEqual(figures(records));
    const told = records.flatMap(({ step, train: { idleExperts } = {} }) =>
      idleExperts === undefined ? [] : [{ at: step, ...idleExperts }],
    );
    expect(told.map(({ at }) => at)).toEqual([20, 40, 60, 80, 100, 120]);
    const frames = (await readExperts(whole, start)).records;
    for (const { at, idle, ...others } of told) {
      expect(others).toEqual({ layer: description.routedLayers[0]?.name, experts: 32, steps: 20 });
      const counts = frames.filter(({ step }) => step > at - 20 && step <= at).map((frame) => frame.counts);
      const sums = Array.from({ length: 32 }, (_, expert) => counts.reduce((sum, own) => sum + (own[expert] ?? 0), 0));
      // 64 tokens in each of 20 steps: 40 choices each would be even.
      expect(sums.reduce((sum, count) => sum + count)).toBe(64 * 20);
      expect(idle).toBe(sums.filter((count) => count < 4).length);
    }
    const summary = await summariseRun(run);
    expect(summary?.alarms).toMatchObject([{ name: 'collapsed-experts', figure: (told.at(-1)?.idle ?? 0) / 32 }]);
    const governing = failureRemedy(experimentSchema.parse(description.experiment), { failure: null, alarms: summary?.alarms ?? [] });
    expect(governing).toMatchObject({ path: ['model', 'moe', 'router', 'balance'], from: 'none' });
  }, 60_000);

  it('says how many experts units take where that varies', async () => {
    const { run, description } = await createTinyRun(temporaryFolder(), {
      model: 'moe: { kind: smoe, every: 2, experts: 8, top_k: 2, expert_width: 8, router: { select: top_p, top_p: 0.3 } }',
    });
    // One routed layer of three matrices 16 x 8 each.
    expect(description.varyingK).toEqual({ counted: 2, macsPerChoice: 3 * 16 * 8 });
    expect(await train(run)).toMatchObject({ state: 'finished', failure: null });
    const { records } = await readMetrics(run, start);
    for (const { train: figures, validation } of records) {
      if (figures !== undefined) {
        const { meanK, kShares = [] } = figures;
        expect(kShares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
        expect(kShares.reduce((sum, share, index) => sum + share * (index + 1), 0)).toBeCloseTo(Number(meanK), 4);
        // Eight experts that know nothing have a score of an eighth: three of them make 0.3.
        expect(meanK).toBeGreaterThan(2);
        expect(meanK).toBeLessThan(4);
      }
      for (const set of Object.values(validation ?? {})) expect(set.meanK).toBeGreaterThan(2);
    }
    const experts = (await readExperts(run, start)).records.find(({ step }) => step === 1);
    const first = records.find((line) => line.train !== undefined)?.train?.meanK;
    expect([...(experts?.counts ?? [])].reduce((sum, count) => sum + count, 0)).toBeCloseTo(64 * Number(first), 3);
    expect(await readRunResult(run)).toMatchObject({ meanK: expect.any(Number), macsAtMeanK: expect.any(Number) });
  });

  it('goes on where version 0.1.0 stopped, whose config had keys of the router elsewhere', async () => {
    const { run: whole } = await createTinyRun(temporaryFolder());
    await train(whole);
    const { run, description } = await createTinyRun(temporaryFolder());
    const stop = new AbortController();
    await train(run, { onMetrics: ({ step }) => step === 3 && stop.abort() }, stop.signal);
    const { model, ...rest } = experimentSchema.parse(description.experiment);
    const { router, ...moe } = model.moe ?? { router: undefined };
    const { renormalize, balance_weight } = router ?? {};
    writeDescription(run, { ...description, experiment: { ...rest, model: { ...model, moe: { ...moe, renormalize, balance_weight } } } });
    expect(await train(run)).toMatchObject({ state: 'finished', step: 6 });
    expect(figures((await readMetrics(run, start)).records)).toEqual(figures((await readMetrics(whole, start)).records));
  });

  it('drops what was recorded after the checkpoint when a crash lost it', async () => {
    const { run: whole } = await createTinyRun(temporaryFolder());
    await train(whole);
    const { run } = await createTinyRun(temporaryFolder());
    await train(run);
    // As after a crash at step 6 whose newest checkpoint is that of step 4.
    rmSync(join(runFiles.checkpoints(run), 'step-6'), { recursive: true });
    await train(run);
    expect(figures((await readMetrics(run, start)).records)).toEqual(figures((await readMetrics(whole, start)).records));
    // And once more with no checkpoint at all: from the beginning.
    rmSync(runFiles.checkpoints(run), { recursive: true });
    await train(run);
    expect(figures((await readMetrics(run, start)).records)).toEqual(figures((await readMetrics(whole, start)).records));
    expect((await readExperts(run, start)).records).toEqual((await readExperts(whole, start)).records);
  });

  it('fails where it diverges, with step and reason, and keeps the last good checkpoint', async () => {
    const { run } = await createTinyRun(temporaryFolder(), { learningRate: 1000, checkpointEvery: 1, steps: 20 });
    const status = await train(run);
    expect(status.state).toBe('failed');
    expect(status.failure?.message).toMatch(/^Diverged: the (loss|gradient norm) is (NaN|-?Infinity)/);
    expect(status.failure?.advice).toContain('learning_rate');
    const step = status.failure?.step ?? 0;
    expect(checkpoints(run)).toContain(`step-${step - 1}`);
    const { records, corrupt } = await readMetrics(run, start);
    expect(corrupt).toBe(0);
    expect(records.at(-1)?.step).toBe(step);
    expect((await readEvents(run, start)).records.at(-1)).toMatchObject({ kind: 'failed', step });
  });

  it('stops by a request file, and writes a checkpoint when asked over the socket', async () => {
    const { run } = await createTinyRun(temporaryFolder(), { steps: 1_000_000, checkpointEvery: 1_000_000, evaluateEvery: 1_000_000 });
    const training = train(run);
    const client = await untilConnected(run);
    const changed = new Promise<void>((resolve) => void client.subscribe(({ step }) => step > 2 && resolve()));
    await changed;
    await client.checkpoint();
    while (checkpoints(run).filter((name) => /^step-\d+$/.test(name)).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    client.dispose();
    leaveRequest(run, 'stop');
    const status = await training;
    expect(status.state).toBe('stopped');
    expect(checkpoints(run)).toContain(`step-${status.step}`);
    expect(checkpoints(run)).toHaveLength(2);
  });

  it('says so when its text has changed since it began', async () => {
    const folder = temporaryFolder();
    const { run } = await createTinyRun(folder);
    writeFileSync(join(folder, 'corpus', 'valid.txt'), 'Something else entirely.');
    await train(run);
    const warnings = (await readEvents(run, start)).records.filter((event) => event.kind === 'warning');
    expect(warnings.map((event) => event.message)).toEqual(['The text of validation.prose is not what it was when the run began.']);
  });

  it('fails when the disk is full, says so, and goes on once there is space', async ({ skip }) => {
    const disk = tinyDisk(1024);
    if (disk === undefined) return skip('no permission to mount a tmpfs');
    const { run } = await createTinyRun(disk, { steps: 200, checkpointEvery: 10, evaluateEvery: 1_000_000 });
    const filler = join(disk, 'filler');
    const failed = await train(run, {
      // Leaves less than the next checkpoint and the next lines need.
      onMetrics: ({ step }) => step === 15 && expect(() => writeFileSync(filler, Buffer.alloc(1 << 20))).toThrow(/ENOSPC/),
    });
    expect(failed).toMatchObject({ state: 'failed', failure: { message: expect.stringMatching(/disk is full|no space left/i) } });
    expect(failed.failure?.advice).not.toBe('');
    expect(await readStatus(run)).toEqual(failed);
    expect(checkpoints(run)).toContain('step-10');
    expect((await readMetrics(run, start)).corrupt).toBe(0);

    rmSync(filler);
    const { run: whole } = await createTinyRun(temporaryFolder(), { steps: 200, checkpointEvery: 10, evaluateEvery: 1_000_000 });
    await train(whole);
    expect(await train(run)).toMatchObject({ state: 'finished', step: 200 });
    expect(figures((await readMetrics(run, start)).records)).toEqual(figures((await readMetrics(whole, start)).records));
  });

  it('fails with the reason when its text is gone', async () => {
    const folder = temporaryFolder();
    const { run } = await createTinyRun(folder);
    rmSync(join(folder, 'corpus'), { recursive: true });
    const status = await train(run);
    expect(status.state).toBe('failed');
    expect(status.failure).toMatchObject({ message: expect.stringContaining('corpus/train.txt'), step: 0 });
  });
});

async function untilConnected(run: string): Promise<RunClient> {
  for (;;) {
    const client = await RunClient.connect(run);
    if (client !== undefined) return client;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
