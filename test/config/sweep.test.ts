import { describe, expect, it } from 'vitest';
import { applyEdits } from '../../src/config/edit/keyEdits';
import { fixesOf } from '../../src/config/fixes';
import { mostMembers, shortNames, sweepableKeys } from '../../src/config/sweep';
import { load, shown, textIn, valid } from './memoryFiles';

function family(sweep: string, config = valid) {
  const text = `${config}${sweep}`;
  const loaded = load(text);
  return { ...loaded, shown: loaded.findings.map((finding) => shown(finding, { 'a.moe.yaml': text })), inText: text };
}

describe('a sweep of lists', () => {
  it('has all combinations, the first key slowest, each an experiment of its own', () => {
    const { members, findings, experiment, inText } = family(
      'sweep:\n  model.moe.top_k: [1, 2]\n  train.learning_rate: [1.0e-3, 5.0e-4]\n',
    );
    expect(findings).toEqual([]);
    expect(members.map(({ name }) => name)).toEqual([
      'top_k=1, learning_rate=0.001',
      'top_k=1, learning_rate=0.0005',
      'top_k=2, learning_rate=0.001',
      'top_k=2, learning_rate=0.0005',
    ]);
    expect(members.map((member) => [member.experiment?.model.moe?.top_k, member.experiment?.train?.learning_rate])).toEqual([
      [1, 0.001],
      [1, 0.0005],
      [2, 0.001],
      [2, 0.0005],
    ]);
    expect(members.map(({ range }) => textIn(inText, range))).toEqual(['1', '1', '2', '2']);
    expect(members[3]).toMatchObject({
      changes: { 'model.moe.top_k': 2, 'train.learning_rate': 0.0005 },
      experiment: { name: 'MH-MoE (head=2), top_k=2, learning_rate=0.0005' },
    });
    // The config itself is what it is without its sweep.
    expect(experiment).toEqual(load(valid).experiment);
    expect(members.every((member) => member.experiment !== undefined && !('sweep' in member.experiment))).toBe(true);
  });

  it('replaces lists and merges mappings, and an empty value takes away what the config says', () => {
    const { members, findings } = family('sweep:\n  train.betas: [[0.8, 0.99], null]\n  model.moe: [{ heads: 4 }, null]\n');
    expect(findings).toEqual([]);
    expect(
      members.map(({ experiment }) => [experiment?.train?.betas, experiment?.model.moe?.heads, experiment?.model.moe?.experts]),
    ).toEqual([
      [[0.8, 0.99], 4, 40],
      [[0.8, 0.99], undefined, undefined],
      [[0.9, 0.95], 4, 40],
      [[0.9, 0.95], undefined, undefined],
    ]);
    expect(members[1]?.name).toBe('betas=[0.8,0.99], moe=none');
  });
});

describe('a sweep of mappings', () => {
  it('moves keys together, and an empty member is the config as it is', () => {
    const { members, findings, inText } = family('sweep:\n  - {}\n  - { model.moe.experts: 80, model.moe.expert_width: 128 }\n');
    expect(findings).toEqual([]);
    expect(members.map(({ name }) => name)).toEqual(['unchanged', 'experts=80, expert_width=128']);
    expect(members.map(({ experiment }) => experiment?.model.moe?.expert_width)).toEqual([256, 128]);
    expect(textIn(inText, members[1]?.range ?? { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } })).toBe(
      '{ model.moe.experts: 80, model.moe.expert_width: 128 }',
    );
  });

  it('names keys that end alike by more of them', () => {
    expect(family('sweep: [{ model.moe.heads: 4, model.attention.heads: 8 }]\n').members[0]?.name).toBe('moe.heads=4, attention.heads=8');
    expect(shortNames(['model.moe.top_k', 'train.steps']).get('model.moe.top_k')).toBe('top_k');
  });
});

describe('what is wrong with a sweep', () => {
  it.each([
    ['a key cut short', 'sweep: { moe.top_k: [1] }'],
    ['a misspelt key', 'sweep: { model.moe.top_kk: [1] }'],
    ['a key that is in several sections', 'sweep: { heads: [1] }'],
    ['a key of no section', 'sweep: { colour: [1] }'],
    ['a key of the family', 'sweep: { name: [a, b] }'],
    ['one value', 'sweep: { model.moe.top_k: 2 }'],
    ['no values', 'sweep: { model.moe.top_k: [] }'],
    ['no keys', 'sweep: {}'],
    ['no members', 'sweep: []'],
    ['a text', 'sweep: all'],
    ['a member that is no mapping', 'sweep: [2]'],
    ['a value twice', 'sweep: { model.moe.top_k: [1, 2, 1] }'],
    ['a member twice', 'sweep: [{ model.moe.top_k: 1 }, { model.moe.top_k: 1 }]'],
    ['too many', 'sweep: { train.seed: [1, 2, 3, 4, 5, 6, 7, 8], model.moe.top_k: [1, 2, 3], train.warmup: [1, 2, 3] }'],
    ['a value that the key cannot have', 'sweep: { model.moe.top_k: [1, many] }'],
    ['a value that does not go with the others', 'sweep: { model.moe.heads: [2, 3], train.seed: [1, 2] }'],
    ['an error at a key that is not swept', 'sweep: { model.d_model: [256, 257] }'],
    ['a section without what it needs', 'sweep: { model.product_keys: [{ kind: peer }] }'],
  ])('%s', (_, sweep) => {
    const { shown: findings, experiment } = family(`${sweep}\n`);
    expect(findings).toMatchSnapshot();
    expect(findings.length).toBeGreaterThan(0);
    // The config without its sweep can still be counted and trained.
    expect(experiment).toBeDefined();
  });

  it('is also what only a member is warned of, by the rule that warns of it, once for each value', () => {
    const renormalised = valid.replace('expert_width: 256', 'expert_width: 256\n    router: { renormalize: true }');
    const { shown: findings, members, experiment } = family('sweep: { model.moe.top_k: [1, 2], train.seed: [1, 2, 3] }\n', renormalised);
    expect(findings).toEqual([expect.stringMatching(/ \[1\] warning [a-z0-9-]+: top_k=1, seed=1: .*renormalize/)]);
    expect(findings[0]).not.toContain('sweep-member');
    expect(experiment).toBeDefined();
    expect(members.every((member) => member.experiment !== undefined)).toBe(true);
    // What the config itself is warned of is said there.
    const single = renormalised.replace('top_k: 2', 'top_k: 1');
    expect(load(`${single}sweep: { train.seed: [1, 2] }\n`).findings).toHaveLength(load(single).findings.length);
  });

  it('leaves the members that are right', () => {
    const { members } = family('sweep: { model.moe.heads: [2, 3, 4] }\n');
    expect(members.map(({ experiment }) => experiment?.model.moe?.heads)).toEqual([2, undefined, 4]);
  });

  it('is not looked for in members of a config that has errors itself', () => {
    const { members, shown: findings } = family('sweep: { model.moe.heads: [3] }\n', valid.replace('top_k: 2', 'top_k: 99'));
    expect(findings.map((one) => one.split(' ')[3])).not.toContain('sweep-member');
    expect(members.map(({ experiment }) => experiment)).toEqual([undefined]);
  });
});

it('a sweep is not inherited', () => {
  const { members, experiment, findings } = load({
    'base.moe.yaml': `${valid}sweep: { model.moe.top_k: [1, 2] }\n`,
    'a.moe.yaml': 'extends: base.moe.yaml\n',
  });
  expect(findings).toEqual([]);
  expect(members).toEqual([]);
  expect(experiment?.model.moe?.top_k).toBe(2);
});

it('the largest family is loaded whole, and every key but those of the family itself may be swept', () => {
  const seeds = Array.from({ length: mostMembers }, (_, seed) => seed).join(', ');
  expect(family(`sweep: { train.seed: [${seeds}] }\n`).members).toHaveLength(mostMembers);
  expect(sweepableKeys()).toEqual(
    expect.arrayContaining(['model.moe.top_k', 'model.moe', 'train.learning_rate', 'data.train', 'engine.device']),
  );
  expect(sweepableKeys().filter((key) => /^(name|extends|parity|sweep|lint)\b/.test(key))).toEqual([]);
});

it('never throws on hostile keys and values', () => {
  for (const sweep of [
    'sweep: { __proto__: [1] }',
    'sweep: { constructor.prototype: [1] }',
    'sweep: [{ __proto__: { model: 1 } }]',
    'sweep: { "": [1] }',
    'sweep: { ".": [1] }',
    'sweep: { "model..moe": [1] }',
    `sweep: { "${'x.'.repeat(2000)}": [1] }`,
    'sweep: { model: [1, null, [], {}] }',
  ]) {
    const { findings } = family(`${sweep}\n`);
    expect(findings.length, sweep).toBeGreaterThan(0);
  }
});

it('a validation set may be swept by any name', () => {
  const { members } = family('sweep: { data.validation.__proto__: [[a.txt]], data.validation.prose: [[b.txt]] }\n');
  expect(members).toHaveLength(1);
  expect(members[0]?.experiment?.data?.validation['prose']).toEqual(['b.txt']);
});

it('an experiment that two members come to is trained once', () => {
  const { members, shown: found } = family('sweep: { model.moe.top_k: [1, 2], model.moe: [{ top_k: 1 }] }\n');
  expect(members.map(({ experiment }) => experiment === undefined)).toEqual([false, true]);
  expect(found).toEqual([expect.stringMatching(/sweep-member.*top_k=2.*the same experiment as top_k=1/)]);
  const unchanged = family('sweep:\n  - {}\n  - { model.moe.top_k: 2 }\n');
  expect(unchanged.members.map(({ experiment }) => experiment === undefined)).toEqual([false, true]);
  expect(unchanged.shown).toHaveLength(1);
  // Said by its own finding, and by that alone.
  const repeated = family('sweep: { model.moe.top_k: [1, 1] }\n');
  expect(repeated.members.map(({ experiment }) => experiment === undefined)).toEqual([false, true]);
  expect(repeated.shown).toHaveLength(1);
});

it('values that are no numbers are told apart', () => {
  const { members, shown: found } = family('sweep: { train.learning_rate: [.inf, .nan] }\n');
  expect(members.map(({ name }) => name)).toEqual(['learning_rate=Infinity', 'learning_rate=NaN']);
  expect(found).toHaveLength(2);
  expect(found.join('\n')).not.toContain('once more');
});

it.each([
  ['a misspelt key', 'sweep: { model.moe.topk: [1, 2] } # few\n', 'sweep: { model.moe.top_k: [1, 2] } # few\n', true],
  ['a key that was cut short', 'sweep:\n  learning_rate: [1.0e-3, 5.0e-4]\n', 'sweep:\n  train.learning_rate: [1.0e-3, 5.0e-4]\n', true],
  ['a key of a member', 'sweep:\n  - { model.moe.exprts: 41 }\n', 'sweep:\n  - { model.moe.experts: 41 }\n', true],
  ['a key that there is twice', 'sweep:\n  heads: [1, 2]\n', 'sweep:\n  model.attention.heads: [1, 2]\n', false],
])('%s has a fix, after which the sweep is understood', (_, wrong, right, sure) => {
  const { findings, inText } = family(wrong);
  const fixes = findings.filter(({ code }) => code === 'sweep-key').flatMap((finding) => fixesOf(finding, inText));
  const mended = fixes.map(({ edits }) => applyEdits(inText, edits));
  expect(mended).toContain(`${valid}${right}`);
  expect(fixes.every((fix) => fix.sure === sure)).toBe(true);
  for (const text of mended) expect(load(text).findings.map(({ code }) => code)).not.toContain('sweep-key');
});
