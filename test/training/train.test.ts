import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { RouterConfig, RunnableExperiment } from '../../src/config/schema';
import { validationBatches } from '../../src/data/batches';
import { laneBatches } from '../../src/data/lanes';
import type { Session } from '../../src/engine/engine';
import { createEngine } from '../../src/engine/onnx/createEngine';
import { buildLanguageModel } from '../../src/models/languageModel';
import { latestCheckpoint, writeCheckpoint } from '../../src/training/checkpoint/checkpoint';
import { scoreText, scoringOf } from '../../src/training/evaluation';
import { sessionOptions } from '../../src/training/prepare';
import { trainExperiment, type TrainingRequest } from '../../src/training/train';
import { Recorder, stream, TestControl } from './recorder';
import { rememberingExperiment, richlyRoutedExperiment, tinyCorpora, tinyExperiment } from './tinyExperiment';

const corpora = tinyCorpora();
const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.dispose();
});

async function compile(experiment: RunnableExperiment, seed = experiment.train.seed): Promise<Session> {
  const session = await createEngine('cpu').compile(buildLanguageModel(experiment), { ...sessionOptions(experiment), seed });
  sessions.push(session);
  return session;
}

interface Options extends Partial<Pick<TrainingRequest, 'control' | 'resume' | 'session' | 'now'>> {
  readonly recorder?: Recorder;
}

async function train(experiment: RunnableExperiment, { recorder = new Recorder(), ...options }: Options = {}) {
  const session = options.session ?? (await compile(experiment));
  const outcome = await trainExperiment({ experiment, corpora, observer: recorder, control: new TestControl(), ...options, session });
  return { outcome, recorder, session };
}

describe('training on the CPU', () => {
  it('learns, and reports steps, validations and checkpoints when they are due', async () => {
    const { outcome, recorder } = await train(tinyExperiment());
    expect(outcome).toEqual({ kind: 'finished', step: 20 });
    expect(recorder.steps.map(({ step, tokens }) => [step, tokens])).toEqual(
      Array.from({ length: 20 }, (_, at) => [at + 1, 256 * (at + 1)]),
    );
    expect(recorder.steps[4]?.learningRate).toBeCloseTo(0.01, 12);
    expect(recorder.steps[19]?.learningRate).toBeCloseTo(0.001, 12);
    expect(recorder.validations.map(({ step }) => step)).toEqual([0, 5, 10, 15, 20]);
    expect(recorder.checkpoints.map(({ state }) => state.step)).toEqual([10, 20]);
    expect(recorder.checkpoints[1]?.state).toMatchObject({ tokens: 5120, dataPosition: 160 });

    const [before, , , , after] = recorder.validations.map(({ sets }) => sets['prose']);
    // Untrained it knows nothing: about one of 256. Twenty steps teach it at least which bytes are letters.
    expect(before?.perplexity).toBeGreaterThan(200);
    expect(after?.perplexity).toBeLessThan(40);
    expect(recorder.losses.at(-1)).toBeLessThan((recorder.losses[0] ?? 0) - 1.5);
  });

  it('counts every routed unit once per choice', async () => {
    const { recorder } = await train(tinyExperiment({ steps: 2 }));
    const [layer] = recorder.steps[1]?.expertCounts ?? [];
    // 256 tokens x 2 sub-tokens x top-2.
    expect(layer?.reduce((sum, count) => sum + count, 0)).toBe(1024);
  });

  it('gives the same losses for the same seed, and others for another', async () => {
    const [once, again, other] = [await train(tinyExperiment()), await train(tinyExperiment()), await train(tinyExperiment({ seed: 4 }))];
    expect(again.recorder.losses).toEqual(once.recorder.losses);
    expect(again.recorder.validations.map(({ sets }) => sets)).toEqual(once.recorder.validations.map(({ sets }) => sets));
    expect(other.recorder.losses[0]).not.toBe(once.recorder.losses[0]);
  });

  it('accumulates: four microbatches of two windows are one of eight', async () => {
    // Without the balance loss, whose value depends on which units share a microbatch.
    const experiment = (microBatch: number) => {
      const { model, ...rest } = tinyExperiment({ micro_batch: microBatch, steps: 6 });
      return { ...rest, model: { ...model, ...(model.moe === undefined ? {} : { moe: { ...model.moe, balance_weight: 0 } }) } };
    };
    const [parts, whole] = [await train(experiment(2)), await train(experiment(8))];
    parts.recorder.losses.forEach((loss, at) => expect(loss).toBeCloseTo(whole.recorder.losses[at] ?? NaN, 3));
    expect(parts.recorder.steps[0]?.gradientNorm).toBeCloseTo(whole.recorder.steps[0]?.gradientNorm ?? NaN, 3);
  });

  it('accumulates lanes too: each goes on from its own window before, in whatever microbatch it is', async () => {
    // Nothing that chooses: a choice made otherwise by rounding would be followed by others.
    const experiment = (microBatch: number) => {
      const { model, ...rest } = tinyExperiment({ micro_batch: microBatch, steps: 8 });
      return { ...rest, model: { ...model, moe: undefined, attention: { ...model.attention, position: 'xl' as const } } };
    };
    const [parts, whole] = [await train(experiment(2)), await train(experiment(8))];
    parts.recorder.losses.forEach((loss, at) => expect(loss).toBeCloseTo(whole.recorder.losses[at] ?? NaN, 3));
    expect(parts.recorder.steps[0]?.gradientNorm).toBeCloseTo(whole.recorder.steps[0]?.gradientNorm ?? NaN, 3);
  });

  it('measures tokens per second by the given clock, and seconds on from a resume', async () => {
    // The clock advances by a quarter of a second whenever it is looked at.
    let time = 100;
    const now = () => (time += 0.25);
    const state = { schemaVersion: 1, step: 0, seconds: 1000, tokens: 0, dataPosition: 0 } as const;
    const { recorder } = await train(tinyExperiment({ steps: 3 }), { now, resume: { state, tensors: stream([]) } });
    expect(recorder.steps[2]?.tokensPerSecond).toBeCloseTo(256 / 0.25, 6);
    expect(recorder.steps.every(({ seconds }) => seconds > 1000 && seconds < 1010)).toBe(true);
  });
});

describe('validation', () => {
  it('scores the same whatever the batch, as perplexity exp(nats / token) and bits per byte', async () => {
    const session = await compile(tinyExperiment());
    const text = corpora.validation['lists']?.tokens.subarray(0, 333) ?? new Uint8Array();
    const [four, seven] = [
      await scoreText(session, text, { ...scoringOf(tinyExperiment()), windows: 4 }),
      await scoreText(session, text, { ...scoringOf(tinyExperiment()), windows: 7 }),
    ];
    expect(four?.scoredTokens).toBe(332);
    expect(four?.loss).toBeCloseTo(seven?.loss ?? NaN, 5);
    expect(four?.perplexity).toBeCloseTo(Math.exp(four?.loss ?? NaN), 10);
    expect(four?.bitsPerByte).toBeCloseTo((four?.loss ?? NaN) / Math.log(2), 10);
  });

  it('of lanes is in one lane, whatever the micro-batch: the same to the last bit', async () => {
    const score = async (microBatch: number) => {
      const experiment = rememberingExperiment({ micro_batch: microBatch });
      const text = corpora.validation['lists']?.tokens.subarray(0, 333) ?? new Uint8Array();
      return scoreText(await compile(experiment), text, scoringOf(experiment));
    };
    const two = await score(2);
    expect(two?.scoredTokens).toBe(332);
    expect(await score(8)).toEqual(two);
  });

  it.each<[string, Partial<RouterConfig>, boolean]>([
    ['expert choice', { select: 'expert_choice', balance: 'none' }, false],
    ['capacity that later first choices take', { capacity_factor: 1, capacity_in_evaluation: true }, false],
    ['capacity by position', { capacity_factor: 1, capacity_in_evaluation: true, capacity_priority: 'position' }, true],
    ['capacity in training', { capacity_factor: 1 }, true],
  ])('with %s states bits per byte only where the model is causal', async (_, router, stated) => {
    const plain = tinyExperiment({ steps: 1 });
    const { moe } = plain.model;
    if (moe === undefined) throw new Error('It is routed.');
    const model = { ...plain.model, moe: { ...moe, router: { ...moe.router, ...router } } };
    const { recorder } = await train({ ...plain, model });
    for (const { sets } of recorder.validations)
      for (const { perplexity, bitsPerByte } of Object.values(sets))
        if (stated) expect(bitsPerByte).toBeCloseTo(Math.log2(perplexity), 10);
        else expect(bitsPerByte).toBeNull();
    expect(recorder.validations).toHaveLength(2);
  });

  it.each([
    ['a model of parameters alone', tinyExperiment()],
    ['a model with lanes and running means', rememberingExperiment()],
  ])('leaves training as it would be without it: %s', async (_, experiment) => {
    const often = await train({ ...experiment, evaluate: { every: 1 } });
    const seldom = await train({ ...experiment, evaluate: { every: 1000 } });
    expect(often.recorder.losses).toEqual(seldom.recorder.losses);
    expect(often.recorder.checkpoints.at(-1)?.tensors).toEqual(seldom.recorder.checkpoints.at(-1)?.tensors);
  });
});

describe('what a router tells', () => {
  it('goes out with every step and validation', async () => {
    const experiment = richlyRoutedExperiment({ steps: 4 });
    const { recorder } = await train(experiment);
    const weights = { balance: 0.01, zLoss: 0.01 };
    for (const { loss, crossEntropy, balance, zLoss, dropRate } of recorder.steps) {
      expect(loss).toBeCloseTo(crossEntropy + weights.balance * (balance ?? NaN) + weights.zLoss * (zLoss ?? NaN), 5);
      expect(dropRate).toBeGreaterThan(0);
      // All units with the same two of six experts, at worst: a third of the room is used.
      expect(dropRate).toBeLessThanOrEqual(2 / 3);
    }
    // This capacity holds in training only.
    for (const { sets } of recorder.validations) for (const { dropRate } of Object.values(sets)) expect(dropRate).toBe(0);
  });

  it('is null where the model has none of it', async () => {
    const { recorder } = await train(tinyExperiment({ steps: 1 }));
    expect(recorder.steps[0]).toMatchObject({ zLoss: null, dropRate: null, taken: [null], retrievals: [] });
    const none = { dropRate: null, meanK: null, expertUsage: null, unevenness: null };
    expect(recorder.validations[0]?.sets['prose']).toMatchObject(none);
  });

  it('says of every step how many experts units took, and what retrievals chose', async () => {
    const { recorder } = await train(rememberingExperiment({ steps: 2 }));
    const [step] = recorder.steps;
    const total = (numbers: ArrayLike<number> | null | undefined) => Array.from(numbers ?? []).reduce((sum, number) => sum + number, 0);
    // Attention of every layer has its two sides, and the first layer's experts come after them.
    const routed = step?.taken.findIndex((taken) => taken !== null) ?? -1;
    expect(step?.taken.filter((taken) => taken !== null)).toHaveLength(1);
    const taken = step?.taken[routed] ?? new Float32Array();
    // 256 tokens, each of which takes one at least; a mask of those that took 2, 3, ... never grows.
    expect(taken[0]).toBe(256);
    expect([...taken].every((count, at) => at === 0 || count <= (taken[at - 1] ?? 0))).toBe(true);
    expect(total(step?.expertCounts[routed])).toBe(total(taken));
    const [use] = step?.retrievals ?? [];
    expect(total(use?.counts)).toBe(256 * 2 * 3);
    // Softmax over the three of each head.
    expect(total(use?.weights)).toBeCloseTo(256 * 2, 2);
    expect(step?.retrievals).toHaveLength(1);
  });

  it('is in validation the mean K, and how evenly experts are retrieved, of all windows that are full', async () => {
    const experiment = rememberingExperiment();
    const session = await compile(experiment);
    const text = (corpora.validation['prose']?.tokens ?? new Uint8Array()).subarray(0, 200);
    const score = await scoreText(session, text, scoringOf(experiment));
    const weights = new Float64Array(64);
    let [choices, units] = [0, 0];
    for (const batch of laneBatches(text.subarray(0, 6 * 32 + 1), 32)) {
      const { taken, retrievals } = await session.evaluate(batch);
      choices += taken.flatMap((counts) => [...(counts ?? [])]).reduce((sum, count) => sum + count, 0);
      units += 32;
      retrievals[0]?.experts.forEach((expert, at) => (weights[expert] = (weights[expert] ?? 0) + (retrievals[0]?.weights[at] ?? 0)));
    }
    expect(units).toBe(192);
    expect(score?.meanK).toBeCloseTo(choices / units, 12);
    const shares = [...weights].map((weight) => weight / weights.reduce((sum, other) => sum + other, 0));
    expect(score?.expertUsage).toBe(shares.filter((share) => share > 0).length / 64);
    const entropy = -shares.reduce((sum, share) => sum + (share === 0 ? 0 : share * Math.log(share)), 0);
    expect(score?.unevenness).toBeCloseTo(Math.log(64) - entropy, 12);
    expect(score?.unevenness).toBeGreaterThan(0);
  });

  it('is weighed by the units of each batch of a validation', async () => {
    const plain = richlyRoutedExperiment();
    const { moe } = plain.model;
    if (moe === undefined) throw new Error('It is routed.');
    const model = { ...plain.model, moe: { ...moe, router: { ...moe.router, capacity_in_evaluation: true } } };
    const experiment = { ...plain, model };
    const session = await compile(experiment);
    const text = (corpora.validation['prose']?.tokens ?? new Uint8Array()).subarray(0, 200);
    const score = await scoreText(session, text, scoringOf(experiment));
    let [dropped, units] = [0, 0];
    for (const batch of validationBatches(text, 32, 4, null)) {
      dropped += ((await session.evaluate(batch)).dropRate ?? NaN) * batch.batch * batch.time;
      units += batch.batch * batch.time;
    }
    expect(units).toBeGreaterThan(4 * 32);
    expect(score?.dropRate).toBeGreaterThan(0);
    expect(score?.dropRate).toBeCloseTo(dropped / units, 12);
  });
});

describe('stop and resume', () => {
  it.each([
    { name: 'a model of parameters alone', experiment: tinyExperiment() },
    { name: 'a model with buffers, noise and means of the step', experiment: richlyRoutedExperiment() },
    { name: 'a model with lanes, lazy tables and running means', experiment: rememberingExperiment() },
    { name: 'the same in four microbatches', experiment: rememberingExperiment({ micro_batch: 2 }) },
  ])('$name goes on from a checkpoint on disk exactly as if it had never stopped', async ({ experiment }) => {
    const unbroken = await train(experiment);
    const directory = await mkdtemp(join(tmpdir(), 'moe-resume-'));
    try {
      const first = new Recorder();
      const control = new TestControl(() => first.steps.length >= 10);
      const stopped = await train(experiment, { recorder: first, control });
      expect(stopped.outcome).toEqual({ kind: 'stopped', step: 10 });
      const [{ state, tensors } = { state: undefined, tensors: [] }] = first.checkpoints;
      if (state === undefined) throw new Error('A stop writes a checkpoint.');
      await writeCheckpoint({
        directory,
        program: buildLanguageModel(experiment),
        sizes: sessionOptions(experiment),
        state,
        tensors: stream(tensors),
        keep: 1,
      });

      const { checkpoint } = await latestCheckpoint(directory);
      if (checkpoint === undefined) throw new Error('The checkpoint was written.');
      // A session that has trained on: everything must come from the checkpoint.
      const { session } = stopped;
      const { batch: windows, microbatches } = sessionOptions(experiment);
      const tokens = new Int32Array(windows * 32).fill(7);
      const batch = { batch: windows, time: 32, tokens, targets: tokens.map((token) => token + 2), resets: new Int32Array(windows) };
      await session.step(new Array(microbatches).fill(batch), { step: 11, learningRate: 0.1 });
      const resumed = await train(experiment, { session, resume: { state: checkpoint.state, tensors: checkpoint.tensors() } });

      expect([...first.losses, ...resumed.recorder.losses]).toEqual(unbroken.recorder.losses);
      expect([...first.validations, ...resumed.recorder.validations].map(({ step, sets }) => ({ step, sets }))).toEqual(
        unbroken.recorder.validations.map(({ step, sets }) => ({ step, sets })),
      );
      const last = ({ recorder }: { recorder: Recorder }) => recorder.checkpoints.at(-1);
      expect(last(resumed)?.tensors).toEqual(last(unbroken)?.tensors);
      expect(last(resumed)?.state).toMatchObject({ step: 20, tokens: 5120, dataPosition: 160 });
    } finally {
      await rm(directory, { recursive: true });
    }
  });

  it('a stop during a validation is obeyed at once, and the validation made up for after the resume', async () => {
    const first = new Recorder();
    let asked = 0;
    // From the second question at step 5 on: that is within its validation.
    const control = new TestControl(() => first.steps.length === 5 && ++asked >= 2);
    const stopped = await train(tinyExperiment(), { recorder: first, control });
    expect(stopped.outcome).toEqual({ kind: 'stopped', step: 5 });
    expect(first.validations.map(({ step }) => step)).toEqual([0]);
    const [saved] = first.checkpoints;
    expect(saved?.state.validationPending).toBe(true);
    if (saved === undefined) return;
    const resumed = await train(tinyExperiment(), { resume: { state: saved.state, tensors: stream(saved.tensors) } });
    expect(resumed.recorder.validations.map(({ step }) => step)).toEqual([5, 10, 15, 20]);
  });

  it('writes a checkpoint when asked', async () => {
    const recorder = new Recorder();
    const control = new TestControl();
    recorder.onStep = ({ step }) => {
      if (step === 3) control.checkpointRequested = true;
    };
    await train(tinyExperiment(), { recorder, control });
    expect(control.checkpointsDone).toBe(1);
    expect(recorder.checkpoints.map(({ state }) => state.step)).toEqual([3, 10, 20]);
  });

  it('has nothing to do after the last step', async () => {
    const { recorder } = await train(tinyExperiment({ steps: 10 }));
    const [saved] = recorder.checkpoints;
    if (saved === undefined) throw new Error('The end writes a checkpoint.');
    const again = await train(tinyExperiment({ steps: 10 }), { resume: { state: saved.state, tensors: stream(saved.tensors) } });
    expect(again.outcome).toEqual({ kind: 'finished', step: 10 });
    expect(again.recorder.steps).toEqual([]);
    expect(again.recorder.checkpoints).toEqual([]);
  });
});

describe('divergence', () => {
  it('ends with step and reason, leaves the state finite and the last checkpoint alone', async () => {
    const calm = { ...tinyExperiment({ warmup: 0, schedule: 'constant', learning_rate: 1000 }), checkpoint: { every: 1, keep: 2 } };
    const { outcome, recorder, session } = await train(calm);
    expect(outcome.kind).toBe('diverged');
    if (outcome.kind !== 'diverged') return;
    expect(outcome.step).toBeGreaterThan(1);
    expect(outcome.reason).toMatch(/^Diverged: the (loss|gradient norm) is (NaN|-?Infinity), at learning rate 1.00e\+3/);
    expect(recorder.steps.at(-1)?.step).toBe(outcome.step);
    const saved = recorder.checkpoints.at(-1);
    expect(saved?.state.step).toBe(outcome.step - 1);
    const now = new Recorder();
    await now.onCheckpoint(saved?.state ?? { schemaVersion: 1, step: 0, seconds: 0, tokens: 0, dataPosition: 0 }, session.exportState());
    expect(now.checkpoints[0]?.tensors).toEqual(saved?.tensors);
    expect(saved?.tensors.every(({ data }) => data.every(Number.isFinite))).toBe(true);
  });
});
