import { afterEach, describe, expect, it } from 'vitest';
import { textEntropy } from '../../reproduce/entropy';
import { maskingSchema } from '../../src/config/schema';
import { encodeBytes } from '../../src/data/byteTokenizer';
import { generateSampleCorpus } from '../../src/data/sampleCorpus';
import type { Session } from '../../src/engine/engine';
import { createEngine } from '../../src/engine/onnx/createEngine';
import { buildLanguageModel } from '../../src/models/languageModel';
import { scoreText, scoringOf } from '../../src/training/evaluation';
import { sessionOptions } from '../../src/training/prepare';
import { trainExperiment } from '../../src/training/train';
import { corporaOf, experimentOf, learn } from './learningSetup';
import { Recorder, stream, TestControl } from './recorder';

const { files } = generateSampleCorpus(5, 1 << 16);
const textOf = (path: string) => encodeBytes(files.find((file) => file.path === path)?.text ?? '');
const validation = textOf('corpus/validation/lists.txt');
const corpora = corporaOf(textOf('corpus/train/lists.txt'), { lists: validation });

const masked = (steps: number) => {
  const experiment = experimentOf(
    {
      vocabulary: 257,
      objective: 'masked',
      d_model: 32,
      layers: 2,
      context: 32,
      attention: { heads: 2 },
      ffn: { width: 64 },
      moe: { kind: 'smoe', experts: 4, top_k: 1, expert_width: 64, router: { balance: 'none' } },
    },
    { steps, batch_tokens: 512, micro_batch: 16, learning_rate: 0.01, warmup: 5, masking: { probability: 0.3 } },
  );
  return { ...experiment, evaluate: { ...experiment.evaluate, every: steps } };
};

const sessions: Session[] = [];
afterEach(async () => {
  for (const session of sessions.splice(0)) await session.dispose();
});
async function train(experiment: ReturnType<typeof masked>) {
  const trained = await learn(experiment, corpora);
  sessions.push(trained.session);
  return trained;
}

describe('masked language modelling', () => {
  it('learns more of a hidden byte than its frequency says, and states no bits per byte', async () => {
    const { recorder } = await train(masked(400));
    const [before, after] = recorder.validations.map(({ sets }) => sets['lists']);
    expect(before?.loss).toBeGreaterThan(5);
    expect(after?.loss).toBeLessThan(0.8 * textEntropy(validation).unigram);
    expect(after?.perplexity).toBeCloseTo(Math.exp(after?.loss ?? NaN), 10);
    expect([before?.bitsPerByte, after?.bitsPerByte]).toEqual([null, null]);
  });

  it('scores hidden tokens only: the mean over them, whatever the number of windows at once', async () => {
    const experiment = masked(2);
    const { session } = await train(experiment);
    const scoring = { ...scoringOf(experiment), hidden: experiment.train.masking };
    const [some, more] = [
      await scoreText(session, validation, { ...scoring, windows: 3 }),
      await scoreText(session, validation, { ...scoring, windows: 16 }),
    ];
    expect(more?.scoredTokens).toBe(some?.scoredTokens);
    expect(more?.loss).toBeCloseTo(some?.loss ?? NaN, 4);
    const share = (some?.scoredTokens ?? 0) / validation.length;
    expect(share).toBeGreaterThan(0.25);
    expect(share).toBeLessThan(0.35);
    const all = await scoreText(session, validation, { ...scoring, windows: 16, hidden: maskingSchema.parse({ probability: 1 }) });
    expect(all?.scoredTokens).toBe(validation.length);
  });

  it('resumes exactly', async () => {
    const experiment = masked(8);
    const { recorder: whole } = await train(experiment);
    const compile = async () => {
      const session = await createEngine('cpu').compile(buildLanguageModel(experiment), sessionOptions(experiment));
      sessions.push(session);
      return session;
    };
    const first = new Recorder();
    const control = new TestControl(() => first.steps.length >= 4);
    await trainExperiment({ experiment, corpora, session: await compile(), observer: first, control });
    const [checkpoint] = first.checkpoints;
    if (checkpoint === undefined) throw new Error('A stop writes a checkpoint.');
    const rest = new Recorder();
    await trainExperiment({
      experiment,
      corpora,
      session: await compile(),
      observer: rest,
      control: new TestControl(),
      resume: { state: checkpoint.state, tensors: stream(checkpoint.tensors) },
    });
    expect([...first.losses, ...rest.losses]).toEqual(whole.losses);
    expect(rest.validations.at(-1)?.sets).toEqual(whole.validations.at(-1)?.sets);
  });
});
