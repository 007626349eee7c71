import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/loadConfig';
import { budgetIn, bytesIn, secondsIn } from '../../src/language/budgetTexts';
import { loadPair, pilotOf, scaledConfigs, scaledHere } from '../../src/language/scalePair';
import { modelCost } from '../../src/parity/closedForm/modelCost';
import { compareWithBaseline } from '../../src/parity/compareWithBaseline';
import { trainedAs, type Measurement } from '../../src/runs/throughput';
import type { Experiment } from '../../src/config/schema';

const smoe = `name: SMoE
model:
  d_model: 768
  layers: 12
  context: 1024
  attention: { heads: 12 }
  ffn: { width: 2048 }
  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: 2048 }
train: { steps: 10000, batch_tokens: 131072, micro_batch: 16 }
data: { train: [text/*.txt] }
`;
const multiHead = `extends: smoe.moe.yaml
name: MH-MoE
parity: smoe.moe.yaml
model: { moe: { kind: mh-moe, heads: 2, experts: 40, top_k: 2, expert_width: 768 } }
`;
const texts: Record<string, string> = { '/lab/smoe.moe.yaml': smoe, '/lab/mh.moe.yaml': multiHead };
const pair = loadPair('/lab/mh.moe.yaml', (file) => texts[file]);

/** So many MACs of training a second, whatever the model. */
function measured(experiment: Experiment, macsPerSecond = 2e10): Measurement {
  const { train } = experiment;
  if (train === undefined) throw new Error('It trains.');
  const macsPerToken = modelCost(experiment.model).macsPerToken.total;
  const speed = { tokensPerSecond: macsPerSecond / macsPerToken, macsPerToken };
  return { trained: trainedAs({ ...experiment, train }), host: 'here', device: 'cpu', measuredAt: '2026-03-01T12:00:00.000Z', ...speed };
}

const request = { pair, budget: { seconds: 1800 }, folder: '/lab', taken: (file: string) => texts[file] !== undefined };

describe('a pair scaled on this machine', () => {
  it('is two configs that read as they were promised, the subject against the small baseline', () => {
    const { subject, baseline, residuals, seconds } = scaledConfigs({ ...request, measurements: [measured(pair.subject)] });
    expect([subject.file, baseline.file]).toEqual(['/lab/mh-small.moe.yaml', '/lab/smoe-small.moe.yaml']);
    const all: Record<string, string> = { ...texts, [subject.file]: subject.text, [baseline.file]: baseline.text };
    const readText = (file: string): string | undefined => all[file];
    const loaded = loadConfig(subject.file, readText);
    expect(loaded.findings.filter(({ severity }) => severity !== 'information')).toEqual([]);
    const { parity } = compareWithBaseline(loaded, readText);
    expect(parity?.baseline).toBe('smoe-small.moe.yaml');
    expect(parity?.compared.macs).toBeCloseTo(residuals.macs, 12);
    expect(seconds).toBeLessThanOrEqual(1800);
    expect(subject.text).toMatch(
      /^# MH-MoE, scaled to 30 min on this machine\.\n# Both have d_model \d+, \d+ layers and a context of \d+, and train on [\d,]+\n?/,
    );
    expect(subject.text.replace(/\n# /g, ' ')).toMatch(
      / What differs costs \S+ % MACs \(\S+ % with routers\) and has \S+ % parameters \(\S+ % with routers\), of the feed-forward layers that differ\./,
    );
    expect(subject.text).toContain('extends: mh.moe.yaml\nname: MH-MoE, small\nparity: smoe-small.moe.yaml\n');
    expect(baseline.text).toContain('extends: smoe.moe.yaml\nname: SMoE, small\nmodel:\n  d_model: ');
  });

  it('says what is left where whole numbers cannot make both equal, and what that was', () => {
    const { summary, subject } = scaledConfigs({ ...request, measurements: [measured(pair.subject)] });
    expect(summary.slice(2)).toEqual([
      'MACs are equal only without what chooses experts.',
      'Before, of the feed-forward layers that differ: MACs 0.00 % (+0.52 % with router), parameters −3.13 % (−3.10 % with router).',
    ]);
    expect(subject.text).toContain('# MACs are equal only without what chooses experts.\n');
    const wide = scaledConfigs({ ...request, budget: { seconds: 1e7 }, measurements: [measured(pair.subject)] });
    expect(wide.summary).toHaveLength(2);
  });

  it('says that a sparse model and a dense one cannot have both', () => {
    const dense = smoe.replace(/ {2}moe: .*\n/, '').replace('name: SMoE', 'name: Dense');
    const files: Record<string, string> = { '/lab/smoe.moe.yaml': `parity: dense.moe.yaml\n${smoe}`, '/lab/dense.moe.yaml': dense };
    const { summary } = scaledConfigs({
      ...request,
      pair: loadPair('/lab/smoe.moe.yaml', (file) => files[file]),
      measurements: [measured(pair.subject)],
    });
    expect(summary[2]).toMatch(/parameters are not equal: a sparse model and a dense one can seldom be equal in both\.$/i);
    expect(summary[3]).toMatch(/^Before, of .+ parameters \+700\.00 %/);
  });

  it('has names that nobody has', () => {
    const { subject, baseline } = scaledConfigs({
      ...request,
      measurements: [measured(pair.subject)],
      taken: (file) => file === '/lab/mh-small.moe.yaml' || file === '/lab/smoe-small.moe.yaml',
    });
    expect([subject.file, baseline.file]).toEqual(['/lab/mh-small-2.moe.yaml', '/lab/smoe-small-2.moe.yaml']);
  });

  it('is measured first with a small model, then as what came of it, as small models are slower than their MACs', async () => {
    const asked: Experiment[] = [];
    const { subject, baseline, seconds } = await scaledHere({
      ...request,
      budget: { seconds: 86_400 },
      measurements: [],
      measure: (experiment) => {
        asked.push(experiment);
        // The pilot is twice as fast as what is trained in the end.
        return Promise.resolve(measured(experiment, asked.length === 1 ? 4e10 : 2e10));
      },
    });
    const [pilot, ...others] = asked.map(({ model }) => modelCost(model).macsPerToken.total);
    expect(pilot).toBeLessThan(3e6);
    expect(others).toHaveLength(2);
    expect(others[0]).toBeGreaterThan(modelCost(subject.experiment.model).macsPerToken.total);
    expect(seconds).toBeLessThanOrEqual(86_400);
    expect(baseline.experiment.model.d_model).toBe(subject.experiment.model.d_model);
  });

  it('needs no measurement for memory alone', async () => {
    const measure = () => Promise.reject(new Error('Nobody needs it.'));
    const { seconds, bytes } = await scaledHere({ ...request, budget: { bytes: 2 ** 30 }, measurements: [], measure });
    expect(seconds).toBeUndefined();
    expect(bytes).toBeLessThanOrEqual(2 ** 30);
  });

  it('needs a baseline, and no errors', () => {
    expect(() => loadPair('/lab/smoe.moe.yaml', (file) => texts[file])).toThrow(/names no baseline/);
    const broken = { ...texts, '/lab/smoe.moe.yaml': smoe.replace('top_k: 1', 'top_k: 9') };
    expect(() => loadPair('/lab/mh.moe.yaml', (file) => (broken as Record<string, string>)[file])).toThrow(
      /smoe\.moe\.yaml cannot be read/,
    );
  });

  it('is measured with a model of the same kind that trains a microbatch a step', () => {
    const { model, train } = pilotOf(pair);
    expect(model.moe).toMatchObject({ kind: 'mh-moe', heads: 2, top_k: 2 });
    expect(train?.batch_tokens).toBe((train?.micro_batch ?? 0) * model.context);
  });
});

describe('a budget', () => {
  it.each([
    ['90', 90],
    ['90s', 90],
    ['30m', 1800],
    ['30 min', 1800],
    ['1.5h', 5400],
    ['2d', 172_800],
    ['', undefined],
    ['soon', undefined],
    ['0', undefined],
    ['-3m', undefined],
    ['3 toString', undefined],
  ])('of time may be written %j', (text, expected) => {
    expect(secondsIn(text)).toBe(expected);
  });

  it.each([
    ['4GiB', 4 * 2 ** 30],
    ['4g', 4 * 2 ** 30],
    ['500 MB', 5e8],
    ['1.5 TiB', 1.5 * 2 ** 40],
    ['1000 b', 1000],
    ['24', undefined],
    ['much', undefined],
    ['4 GiBs', undefined],
  ])('of memory may be written %j', (text, expected) => {
    expect(bytesIn(text)).toBe(expected);
  });

  it.each([
    ['30m', { seconds: 1800 }],
    ['4GiB', { bytes: 4 * 2 ** 30 }],
    ['30m, 4GiB', { seconds: 1800, bytes: 4 * 2 ** 30 }],
    ['4 GiB; 2 h', { seconds: 7200, bytes: 4 * 2 ** 30 }],
    ['30', undefined],
    ['30m, 2h', undefined],
    ['30m,', undefined],
    ['', undefined],
  ])('of both may be written %j', (text, expected) => {
    expect(budgetIn(text)).toEqual(expected);
  });
});
