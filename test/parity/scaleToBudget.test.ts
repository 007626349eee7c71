import { describe, expect, it } from 'vitest';
import { presetOf } from '../../src/config/presets/catalogue';
import { experimentSchema, type Experiment, type ExperimentInput } from '../../src/config/schema';
import { semanticFindings } from '../../src/config/semanticRules';
import { loadConfig } from '../../src/config/loadConfig';
import { countModel } from '../../src/models/count';
import { buildLanguageModel } from '../../src/models/languageModel';
import { outlineLanguageModel } from '../../src/models/outline';
import { comparedResiduals } from '../../src/parity/comparedPart';
import { modelCost } from '../../src/parity/closedForm/modelCost';
import { scaleToBudget, type Budget, type Machine, type Pair } from '../../src/parity/scaleToBudget';
import { variantText } from '../../src/parity/scaledTexts';
import { trainingNeeds } from '../../src/worker/runNeeds';
import { reader } from './rules/compare';

type ModelInput = ExperimentInput['model'];

/** A machine of so many MACs of training a second. */
const machine = (macsPerSecond: number): Machine => ({
  secondsOf: ({ model, train }) => train && (train.steps * train.batch_tokens * modelCost(model).macsPerToken.total) / macsPerSecond,
  bytesOf: (experiment) => trainingNeeds(experiment, outlineLanguageModel(experiment))?.memory.host,
});

const train = { steps: 100_000, batch_tokens: 524_288, micro_batch: 16, warmup: 375 };
const base: ModelInput = { vocabulary: 256, d_model: 768, layers: 12, context: 2048, attention: { heads: 12 }, ffn: { width: 2048 } };
const experiment = (model: ModelInput, more: Partial<ExperimentInput> = {}): Experiment =>
  experimentSchema.parse({ model, train, evaluate: { every: 1000 }, checkpoint: { every: 5000 }, ...more });

const smoe: ModelInput = { ...base, moe: { kind: 'smoe', experts: 8, top_k: 1, expert_width: 2048 } };
const pairs: Readonly<Record<string, readonly [ModelInput, ModelInput]>> = {
  'MH-MoE of two heads and SMoE': [{ ...base, moe: { kind: 'mh-moe', heads: 2, experts: 40, top_k: 2, expert_width: 768 } }, smoe],
  'MH-MoE of three heads and SMoE': [{ ...base, moe: { kind: 'mh-moe', heads: 3, experts: 96, top_k: 3, expert_width: 512 } }, smoe],
  'fine-grained and SMoE': [{ ...base, moe: { kind: 'smoe', experts: 16, top_k: 2, expert_width: 1024 } }, smoe],
  'dense and SMoE': [base, smoe],
  'SwitchHead and dense': [
    {
      ...base,
      attention: { heads: 4, head_width: 112, position: 'xl', moe: { experts: 4, top_k: 2 } },
      ffn: { width: 2100, activation: 'relu' },
    },
    { ...base, attention: { heads: 12, position: 'xl' }, ffn: { width: 2048, activation: 'relu' } },
  ],
  'PEER and dense': [{ ...base, product_keys: { kind: 'peer', experts: 65_536, heads: 8, top_k: 16 } }, base],
};
const pairOf = ([subject, baseline]: readonly [ModelInput, ModelInput]): Pair => ({
  subject: experiment(subject),
  baseline: experiment(baseline),
});
const errors = (one: Experiment) => semanticFindings(one, {}).filter(({ severity }) => severity === 'error');

describe('a pair scaled to a budget', () => {
  const budget: Budget = { seconds: 3600, bytes: 2 * 2 ** 30 };
  const here = machine(2e10);

  it.each(Object.entries(pairs))('fits, at parity, as what it was: %s', (_, models) => {
    const pair = pairOf(models);
    const scaled = scaleToBudget(pair, budget, here);
    const { subject, baseline } = scaled;
    expect([errors(subject), errors(baseline)]).toEqual([[], []]);
    expect(scaled.seconds).toBeLessThanOrEqual(3600);
    expect(scaled.bytes).toBeLessThanOrEqual(2 * 2 ** 30);
    // Nearly all of the time is used.
    expect(scaled.seconds).toBeGreaterThan(1200);
    for (const [one, original] of [
      [subject, pair.subject],
      [baseline, pair.baseline],
    ] as const) {
      expect(one.model.moe?.kind).toBe(original.model.moe?.kind);
      expect([one.model.moe?.heads, one.model.moe?.top_k]).toEqual([original.model.moe?.heads, original.model.moe?.top_k]);
      expect(one.train?.steps).toBeGreaterThanOrEqual(200);
    }
    expect(subject.model.d_model).toBe(baseline.model.d_model);
    expect([subject.model.context, subject.train?.steps, subject.train?.batch_tokens]).toEqual([
      baseline.model.context,
      baseline.train?.steps,
      baseline.train?.batch_tokens,
    ]);
    const counts = [subject, baseline].map((one) => countModel(buildLanguageModel(one), one.model));
    const [ours, theirs] = counts;
    const residuals = ours && theirs && comparedResiduals(ours, theirs);
    expect(residuals?.macs).toBeCloseTo(scaled.residuals.macs, 12);
    // What chooses is most of the work of a retrieval, and counted with it.
    const { macs, macsWithRouter } = scaled.residuals;
    expect(Math.abs(subject.model.product_keys === undefined ? macs : macsWithRouter)).toBeLessThan(0.02);
  });

  it('of a sparse model and a dense one stays equal on the axis on which it was: SwitchHead in parameters', () => {
    const [subject, baseline] = ['switchhead', 'dense-10'].map((name) => {
      const preset = presetOf(`switchhead/c4-47m/${name}`);
      return experiment(preset?.experiment.model ?? base);
    }) as [Experiment, Experiment];
    const before = comparedResiduals(modelCost(subject.model), modelCost(baseline.model));
    expect(before.macs).toBeLessThan(-0.2);
    const { residuals } = scaleToBudget({ subject, baseline }, { seconds: 3600 }, here);
    expect(Math.abs(residuals.parameters)).toBeLessThan(0.02);
    expect(residuals.macs).toBeLessThan(-0.1);
  });

  it('keeps all layers of both where one of them lists its routed ones', () => {
    const listed: ModelInput = { ...base, moe: { kind: 'smoe', layers: [5], experts: 16, top_k: 1, expert_width: 2048 } };
    const { subject, baseline } = scaleToBudget(pairOf([listed, base]), { seconds: 3600 }, here);
    expect([subject.model.layers, baseline.model.layers]).toEqual([12, 12]);
    expect(baseline.model.d_model).toBeLessThan(768);
  });

  it('trains on tokens in proportion to its MACs', () => {
    const pair = pairOf([smoe, { ...smoe, moe: { kind: 'smoe', experts: 16, top_k: 2, expert_width: 1024 } }]);
    const { baseline } = scaleToBudget(pair, { seconds: 1e6 }, here);
    const tokens = (one: Experiment) => (one.train?.steps ?? 0) * (one.train?.batch_tokens ?? 0);
    const share = modelCost(baseline.model).macsPerToken.total / modelCost(pair.baseline.model).macsPerToken.total;
    expect(tokens(baseline) / tokens(pair.baseline)).toBeCloseTo(share, 2);
  });

  it('validates and warms up at the same parts of the training, but not at every step', () => {
    const { baseline } = scaleToBudget(pairOf(pairs['fine-grained and SMoE'] ?? [base, base]), { seconds: 60 }, here);
    const steps = baseline.train?.steps ?? 0;
    // Of 100,000 steps: every 1000, every 5000, and 375 to warm up.
    expect(baseline.evaluate.every).toBe(Math.round(steps / 20));
    expect(baseline.checkpoint.every).toBe(Math.round(steps / 4));
    expect(baseline.train?.warmup).toBe(Math.round(steps / 50));
  });

  it('keeps training as it is where only memory is short, but for its microbatches', () => {
    const pair = pairOf(pairs['MH-MoE of two heads and SMoE'] ?? [base, base]);
    const need = Math.max(here.bytesOf(pair.subject) ?? 0, here.bytesOf(pair.baseline) ?? 0);
    const { subject, baseline, bytes } = scaleToBudget(pair, { bytes: 0.8 * need }, here);
    expect(bytes).toBeLessThanOrEqual(0.8 * need);
    expect(subject.model).toMatchObject({ ...pair.subject.model, moe: { heads: 2, top_k: 2 } });
    expect(baseline.model).toEqual(pair.baseline.model);
    expect(subject.train).toMatchObject({ steps: 100_000, batch_tokens: 524_288 });
    expect(subject.train?.micro_batch).toBeLessThan(16);
    const small = scaleToBudget(pair, { bytes: need / 20 }, here);
    expect(small.baseline.model.d_model).toBeLessThan(768);
    expect(small.subject.model.context).toBe(2048);
  });

  it('trains the smallest models on fewer tokens where time is very short', () => {
    const { subject, seconds } = scaleToBudget(pairOf(pairs['fine-grained and SMoE'] ?? [base, base]), { seconds: 60 }, here);
    expect(subject.model.d_model).toBe(64);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(seconds).toBeGreaterThan(45);
  });

  it('leaves models as they are that are narrow already, and trains them on fewer tokens', () => {
    const narrow: ModelInput = { ...base, d_model: 48, layers: 2, context: 32, attention: { heads: 2 }, ffn: { width: 128 } };
    const pair = pairOf([
      { ...narrow, moe: { kind: 'mh-moe', heads: 2, experts: 24, top_k: 1, expert_width: 80 } },
      { ...narrow, moe: { kind: 'smoe', experts: 8, top_k: 1, expert_width: 128 } },
    ]);
    const { subject, baseline, seconds } = scaleToBudget(pair, { seconds: 60 }, here);
    expect([subject.model.d_model, baseline.model]).toEqual([48, pair.baseline.model]);
    // Steps get smaller only down to a microbatch.
    expect(subject.train?.micro_batch).toBe(16);
    expect(seconds).toBeLessThanOrEqual(60);
    expect(seconds).toBeGreaterThan(30);
  });

  it.each<[string, Budget, RegExp]>([
    ['fits already', { bytes: 1e15 }, /Both fit as they are/],
    ['is too large at its smallest', { bytes: 1e6 }, /Even with d_model 64 and \d+ layers they take/],
    ['takes too long at its smallest', { seconds: 0.001 }, /Even with d_model 64 and \d+ layers they take \d+ s and/],
  ])('says so where it %s', (_, small, message) => {
    expect(() => scaleToBudget(pairOf(pairs['dense and SMoE'] ?? [base, base]), small, here)).toThrow(message);
  });

  it('says so where nothing is trained', () => {
    const { train: _, ...counted } = experiment(base);
    expect(() => scaleToBudget({ subject: counted, baseline: counted }, budget, here)).toThrow(/`train:`/);
  });
});

describe('the text of a scaled config', () => {
  it('extends the one it is of, says what differs, and reads as what it is', () => {
    const text = `parity: x.moe.yaml
model:
  d_model: 768
  layers: 12
  context: 512
  attention: { heads: 12 }
  ffn: { width: 2048 }
  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: 2048 }
train: { steps: 1000, batch_tokens: 8192, micro_batch: 4 }
data: { train: [a.txt] }
`;
    const x = text.replace('parity: x.moe.yaml\n', '');
    const original = loadConfig('/lab/a.moe.yaml', reader({ 'a.moe.yaml': text, 'x.moe.yaml': x })).experiment;
    if (original === undefined) throw new Error('It has no errors.');
    const pair = { subject: original, baseline: original };
    const { subject } = scaleToBudget(pair, { seconds: 100 }, machine(2e10));
    const request = {
      base: '/lab/a.moe.yaml',
      original,
      changed: subject,
      name: 'Small',
      file: '/lab/small/a.moe.yaml',
      heading: ['Small.'],
    };
    const small = variantText({ ...request, parity: '/lab/small/x.moe.yaml' });
    expect(small).toMatch(/^# Small\.\nextends: \.\.\/a\.moe\.yaml\nname: Small\nparity: x\.moe\.yaml\nmodel:\n {2}d_model: \d+\n/);
    const files = reader({ 'a.moe.yaml': text, 'x.moe.yaml': x, 'small/a.moe.yaml': small, 'small/x.moe.yaml': x });
    const loaded = loadConfig('/lab/small/a.moe.yaml', files);
    expect(loaded.experiment).toEqual({
      ...subject,
      name: 'Small',
      extends: '../a.moe.yaml',
      parity: 'x.moe.yaml',
      data: { ...subject.data, train: ['../a.txt'] },
    });
    // A baseline that had one itself has none now.
    expect(variantText(request)).toContain('\nparity:\n');
  });
});
