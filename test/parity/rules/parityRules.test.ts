import { describe, expect, it } from 'vitest';
import { codes, findingsOf, spotOf } from './compare';

/** Section 3 of 2411.16205. */
const smoe = `model:
  vocabulary: 32000
  d_model: 768
  layers: 4
  context: 64
  attention: { heads: 12 }
  ffn: { width: 2048 }
  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: 2048 }
`;
const variant = (moe: string, more = '') => `extends: smoe.moe.yaml\nparity: smoe.moe.yaml\n${more}model: { moe: { ${moe} } }\n`;

describe('what makes a comparison unfair', () => {
  it.each([
    ['768 x 40', 'kind: mh-moe, heads: 2, experts: 40, top_k: 2, expert_width: 768'],
    ['512 x 96', 'kind: mh-moe, heads: 3, experts: 96, top_k: 3, expert_width: 512'],
    ['fine-grained', 'experts: 16, top_k: 2, expert_width: 1024'],
  ])('is nothing of the sizes of 2411.16205: %s', (_, moe) => {
    expect(codes({ 'smoe.moe.yaml': smoe, 'a.moe.yaml': variant(moe) })).toEqual([]);
  });

  it('is nothing without a baseline', () => {
    expect(codes({ 'smoe.moe.yaml': smoe, 'a.moe.yaml': 'extends: smoe.moe.yaml\nmodel: { moe: { expert_width: 64 } }\n' })).toEqual([]);
  });

  it('is the equation for experts of two matrices with gated ones: -12.2 % MACs', () => {
    const texts = {
      'smoe.moe.yaml': smoe,
      'a.moe.yaml': variant('kind: mh-moe, heads: 2, experts: 25, top_k: 1, expert_width: 1280'),
    };
    const [found, ...others] = findingsOf(texts);
    expect(others).toEqual([]);
    expect(found).toMatchObject({ code: 'two-matrix-parity', severity: 'warning' });
    expect(found && spotOf(found)).toBe('model.moe.expert_width');
    expect(found?.message).toContain('−12.2 % MACs with routers (−12.5 % without)');
    expect(found?.message).toContain('By three matrices it is expert_width 1536 with 20.67 experts.');
    expect(found?.remedies?.[0]?.changes).toEqual([
      { kind: 'set', path: ['model', 'moe', 'expert_width'], value: 1536 },
      { kind: 'set', path: ['model', 'moe', 'experts'], value: 21 },
    ]);
    const mended = variant('kind: mh-moe, heads: 2, experts: 21, top_k: 1, expert_width: 1536');
    expect(codes({ ...texts, 'a.moe.yaml': mended })).toEqual([]);
  });

  it('is not that equation where experts have two matrices, or where it was not used', () => {
    const relu = smoe.replace('{ width: 2048 }', '{ width: 2048, activation: relu }');
    // f = 4d, h = 3: exact on both axes (models.md 1.4).
    const example = relu.replaceAll('2048', '3072');
    const solved = variant('kind: mh-moe, heads: 3, experts: 31, top_k: 1, expert_width: 2304');
    expect(codes({ 'smoe.moe.yaml': example, 'a.moe.yaml': solved })).toEqual([]);
    const cheap = variant('kind: mh-moe, heads: 2, experts: 25, top_k: 1, expert_width: 1152');
    expect(codes({ 'smoe.moe.yaml': smoe, 'a.moe.yaml': cheap })).toEqual(['warning macs-off-parity', 'warning parameters-off-parity']);
  });

  it('is the original MH-MoE, at 4.19 times the MACs (2404.15045, beta = 63/64; 2411.16205 section 2.2)', () => {
    const original = smoe.replaceAll('2048', '3072').replace('{ width: 3072 }', '{ width: 3072, activation: gelu }');
    const texts = {
      'smoe.moe.yaml': original,
      'a.moe.yaml': variant('kind: mh-moe, heads: 4, experts: 8, top_k: 1, expert_width: 12096'),
    };
    const [found] = findingsOf(texts);
    expect(found).toMatchObject({ code: 'macs-off-parity', severity: 'warning' });
    expect(found?.message).toContain('The feed-forward layers that differ take 4.19 times the MACs of smoe.moe.yaml (+318.75 % ');
    // Its parameters are what the paper matched: with the true width they nearly do.
    expect(codes(texts)).toEqual(['warning macs-off-parity']);
  });

  it('is only told where MACs are equal without routers, as papers count', () => {
    const narrow = smoe.replace('d_model: 768', 'd_model: 96').replaceAll('2048', '256');
    const texts = { 'smoe.moe.yaml': narrow, 'a.moe.yaml': variant('kind: mh-moe, heads: 2, experts: 40, top_k: 2, expert_width: 96') };
    const [found, ...others] = findingsOf(texts);
    expect(others).toEqual([]);
    expect(found).toMatchObject({ code: 'macs-off-parity', severity: 'information' });
    expect(found?.message).toMatch(/take 4\.12 % more MACs than smoe.moe.yaml \(0\.00 % without what chooses experts, \+4\.12 % with it\)/);
    expect(found && spotOf(found)).toBe('model.moe.experts');
  });

  it('is only told of a dense model, which cannot be equal in both', () => {
    const dense = 'extends: smoe.moe.yaml\nparity: smoe.moe.yaml\nmodel: { moe: }\n';
    expect(codes({ 'smoe.moe.yaml': smoe, 'a.moe.yaml': dense })).toEqual(['information parameters-off-parity']);
    const large = 'extends: smoe.moe.yaml\nparity: smoe.moe.yaml\nmodel: { moe: , ffn: { width: 9216 } }\n';
    // As large as the sparse one, four and a half times as dear; its dense layers differ, too.
    expect(codes({ 'smoe.moe.yaml': smoe, 'a.moe.yaml': large })).toEqual(['information macs-off-parity']);
    const neither = 'extends: smoe.moe.yaml\nparity: smoe.moe.yaml\nmodel: { moe: , ffn: { width: 4096 } }\n';
    expect(codes({ 'smoe.moe.yaml': smoe, 'a.moe.yaml': neither })).toEqual([
      'warning macs-off-parity',
      'information parameters-off-parity',
    ]);
  });

  it('stands at the key that is best changed', () => {
    const at = (moe: string) =>
      findingsOf({ 'smoe.moe.yaml': smoe, 'a.moe.yaml': variant(moe) }).map((found) => `${found.code} ${spotOf(found)}`);
    expect(at('kind: mh-moe, heads: 2, experts: 40, top_k: 4, expert_width: 768')).toEqual(['macs-off-parity model.moe.top_k']);
    expect(at('kind: mh-moe, heads: 2, experts: 20, top_k: 2, expert_width: 768')).toEqual(['parameters-off-parity model.moe.experts']);
    expect(at('expert_width: 1024')).toEqual(['macs-off-parity model.moe.expert_width', 'parameters-off-parity model.moe.expert_width']);
  });
});

describe('baselines that go round in a circle', () => {
  const own = (parity: string) => `parity: ${parity}\n${smoe}`;

  it.each([
    ['itself', { 'a.moe.yaml': own('a.moe.yaml') }, /its own baseline/],
    ['one another', { 'a.moe.yaml': own('b.moe.yaml'), 'b.moe.yaml': own('a.moe.yaml') }, /a\.moe\.yaml -> b\.moe\.yaml -> a\.moe\.yaml,/],
    [
      'three',
      { 'a.moe.yaml': own('b.moe.yaml'), 'b.moe.yaml': own('c.moe.yaml'), 'c.moe.yaml': own('a.moe.yaml') },
      /a\.moe\.yaml -> b\.moe\.yaml -> c\.moe\.yaml -> a\.moe\.yaml,/,
    ],
    // Configs of two folders, which may have one name.
    [
      'one in another folder',
      { 'a.moe.yaml': own('other/a.moe.yaml'), 'other/a.moe.yaml': own('../a.moe.yaml') },
      /circle, a\.moe\.yaml -> other\/a\.moe\.yaml -> a\.moe\.yaml,/,
    ],
    // What it extends names it.
    ['itself by what it extends', { 'base.moe.yaml': own('a.moe.yaml'), 'a.moe.yaml': 'extends: base.moe.yaml\n' }, /its own baseline/],
  ])('are reported: %s', (_, texts, message) => {
    const [found, ...others] = findingsOf(texts);
    expect(others).toEqual([]);
    expect(found).toMatchObject({ code: 'parity-cycle', severity: 'warning' });
    expect(found?.message).toMatch(message);
    expect(found && spotOf(found)).toBe('parity');
  });

  it('are not what a baseline has a baseline for, nor a circle that leads there', () => {
    expect(codes({ 'a.moe.yaml': own('b.moe.yaml'), 'b.moe.yaml': own('c.moe.yaml'), 'c.moe.yaml': smoe })).toEqual([]);
    expect(codes({ 'a.moe.yaml': own('b.moe.yaml'), 'b.moe.yaml': own('c.moe.yaml'), 'c.moe.yaml': own('b.moe.yaml') })).toEqual([]);
  });
});

describe('another task', () => {
  const trained = `${smoe}train: { steps: 800, batch_tokens: 512 }
data: { train: [text/*.txt], validation: { prose: [prose.txt] } }
`;
  const own = (more: string) => `extends: smoe.moe.yaml\nparity: smoe.moe.yaml\n${more}\n`;
  const of = (more: string, baseline = trained) => findingsOf({ 'smoe.moe.yaml': baseline, 'a.moe.yaml': own(more) });

  it('is none where models differ, and how they learn', () => {
    expect(
      of('model: { moe: { router: { balance: gshard_first } } }\ntrain: { learning_rate: 3.0e-4, micro_batch: 2, warmup: 7 }'),
    ).toEqual([]);
  });

  it.each([
    ['train: { steps: 400 }', 'train.steps', 'train.steps 400 instead of 800'],
    ['train: { batch_tokens: 1024 }', 'train.batch_tokens', 'train.batch_tokens 1024 instead of 512'],
    ['data: { train: [text/a.txt] }', 'data.train', 'other data.train'],
    ['data: { validation: { prose: [other.txt] } }', 'data.validation', 'other data.validation'],
    ['model: { context: 32 }', 'model.context', 'model.context 32 instead of 64'],
  ])('is said with what differs: %s', (more, key, text) => {
    const [found] = of(more).filter(({ code }) => code === 'parity-different-task');
    expect(found?.severity).toBe('warning');
    expect(found && spotOf(found)).toBe(key);
    expect(found?.message).toContain(`do not compare with those of smoe.moe.yaml: ${text}.`);
  });

  it('lists all that differs, the seed among it', () => {
    const [found] = of('train: { steps: 400, seed: 2 }\ndata: { train: [text/a.txt] }');
    expect(found?.message).toContain('train.steps 400 instead of 800, other data.train and train.seed 2 instead of 1.');
  });

  it('is only told of another seed alone', () => {
    expect(of('train: { seed: 2 }')).toMatchObject([{ code: 'parity-different-task', severity: 'information' }]);
  });

  it('knows files by where they are, whatever the folder of the config', () => {
    const texts = { 'base/smoe.moe.yaml': trained.replace('text/', '../text/').replace('prose.txt', '../prose.txt') };
    const ours = `parity: base/smoe.moe.yaml\n${trained}`;
    expect(codes({ ...texts, 'a.moe.yaml': ours })).toEqual([]);
    expect(codes({ ...texts, 'a.moe.yaml': ours.replace('text/', 'texts/') })).toEqual(['warning parity-different-task']);
  });

  it('says nothing of training where one of both only counts', () => {
    expect(of('train: { steps: 800, batch_tokens: 512 }', smoe)).toEqual([]);
  });
});
