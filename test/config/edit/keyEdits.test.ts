import { describe, expect, it } from 'vitest';
import { applyEdits, editsFor } from '../../../src/config/edit/keyEdits';
import type { ConfigValue, KeyChange } from '../../../src/config/remedy';

function path(dotted: string): (string | number)[] {
  return dotted.split('.').map((key) => (/^\d+$/.test(key) ? Number(key) : key));
}

const set = (key: string, value: ConfigValue): KeyChange => ({ kind: 'set', path: path(key), value });
const remove = (key: string): KeyChange => ({ kind: 'remove', path: path(key) });
const empty = (key: string): KeyChange => ({ kind: 'empty', path: path(key) });
const move = (key: string, to: string): KeyChange => ({ kind: 'move', path: path(key), to: path(to) });

/** The text afterwards; undefined where it is refused. */
function after(text: string, ...changes: KeyChange[]): string | undefined {
  const edits = editsFor(text, changes);
  return edits && applyEdits(text, edits);
}

const config = `# A heading.
model:
  d_model: 768 # wide
  layers: 12

  # routed
  moe:
    kind: smoe
    experts: 8 # E
    router: { score: softmax, balance: top_k } # flow
train:
  steps: 100
`;

describe('a value that is there', () => {
  it('is replaced, and nothing else', () => {
    expect(editsFor(config, [set('model.d_model', 512)])).toEqual([
      { range: { start: { line: 2, character: 11 }, end: { line: 2, character: 14 } }, newText: '512' },
    ]);
    expect(editsFor(config, [set('model.moe.router.balance', 'none'), set('model.layers', 6)])?.map(({ newText }) => newText)).toEqual([
      '6',
      'none',
    ]);
  });

  it('needs no edit if it is that already', () => {
    expect(editsFor(config, [set('model.d_model', 768)])).toEqual([]);
    expect(editsFor('a: 1.0e-3\n', [set('a', 0.001)])).toEqual([]);
  });

  it.each([
    ["a: 'x'", 'it is', "a: 'it is'"],
    ['a: "x"', 'y', 'a: "y"'],
    ['a: x', 'true', 'a: "true"'],
    ['a: x', 'b: c', 'a: "b: c"'],
    ['a: x # c', '#', 'a: "#" # c'],
    ['a: 1', 1e-8, 'a: 1.0e-8'],
    ['a:', 5, 'a: 5'],
    ['a: # c', 5, 'a: 5 # c'],
    ['{ a }', 5, '{ a: 5 }'],
    ['{"a": "b"}', 'c', '{"a": "c"}'],
    ['a: |\n  text\n  more\nb: 1', 'x', 'a: x\nb: 1'],
    ['a: >-\n  text\n\n  more\n\n# c\nb: 1', 2, 'a: 2\n\n# c\nb: 1'],
    ['a:\r\n- 1\r\n- 2 # two\r\nb: 1', [1, 3], 'a:\r\n- 1\r\n- 3 # two\r\nb: 1'],
    ['a:\n  - 1\n  - 2\n', [1, 2, 3], 'a:\n  - 1\n  - 2\n  - 3\n'],
    ['a:\n  - 1\n  - 2 # c\n  - 3\n', [1], 'a:\n  - 1\n'],
    ['a: [1, 2]', [1, 2, 4], 'a: [1, 2, 4]'],
    ['a: [1, 2, 3]', [1], 'a: [1]'],
    ['a: []', [1], 'a: [1]'],
    ['a: [1]', [], 'a: []'],
    ['a:\n  b: 1 # c\n  c: 2\n', { b: 1, d: 3 }, 'a:\n  b: 1 # c\n  d: 3\n'],
    ['a: { b: 1, c: 2 }', { c: 2 }, 'a: { c: 2 }'],
    ['a:\n  b: 1\nc: 2\n', 'x', 'a: x\nc: 2\n'],
    ['a: x\nc: 2\n', { b: 1 }, 'a: { b: 1 }\nc: 2\n'],
    ['a: &x 1\nb: 2', 3, 'a: &x 3\nb: 2'],
    ['x: &x 1\na: *x', 3, 'x: &x 1\na: 3'],
  ])('%j set to %j: %j', (text, value, expected) => {
    expect(after(text, set('a', value))).toBe(expected);
  });

  it.each([
    ['shared with an alias', 'a: &x 1\nb: *x', 'a'],
    ['behind an alias', 'a: &x { b: 1 }\nc: *x', 'c.b'],
    ['tagged', 'a: !!str 1', 'a'],
    ['below a value that is no mapping', 'a: 1', 'a.b'],
    ['in a text that is no YAML', 'a: [1', 'a'],
    ['in two documents', 'a: 1\n---\na: 2', 'a'],
    ['in a list', '- 1', 'a'],
  ])('is left alone where it is %s', (_, text, key) => {
    expect(editsFor(text, [set(key, 7)])).toBeUndefined();
  });

  it('there twice is changed where it holds', () => {
    expect(after('a: 1\na: 2\n', set('a', 3))).toBe('a: 1\na: 3\n');
  });
});

describe('a key that is not there', () => {
  it('stands where the schema has it, in the style of its section', () => {
    expect(after(config, set('model.context', 256))).toBe(config.replace('  layers: 12\n', '  layers: 12\n  context: 256\n'));
    expect(after(config, set('model.moe.top_k', 2))).toBe(config.replace('# E\n', '# E\n    top_k: 2\n'));
    expect(after(config, set('model.moe.router.jitter', 0.1))).toBe(config.replace('top_k }', 'top_k, jitter: 0.1 }'));
    expect(after(config, set('model.moe.router.type', 'cosine'))).toBe(config.replace('{ score', '{ type: cosine, score'));
    expect(after(config, set('name', 'x y'))).toBe(config.replace('model:', 'name: x y\nmodel:'));
    expect(after(config, set('engine.device', 'cpu'))).toBe(`${config}engine: { device: cpu }\n`);
  });

  it('brings its sections along', () => {
    expect(after('', set('model.moe.kind', 'smoe'))).toBe('model:\n  moe:\n    kind: smoe\n');
    expect(after('# only\n', set('train.steps', 1))).toBe('# only\ntrain:\n  steps: 1\n');
    expect(after('parity: x', set('model.ffn.width', 1))).toBe('parity: x\nmodel:\n  ffn: { width: 1 }');
    expect(after('{"parity": 1}', set('model.ffn.activation', 'x'))).toBe('{"parity": 1, "model": { "ffn": { "activation": "x" } }}');
    expect(after('model:\n  moe: # none yet\n  layers: 1\n', set('model.moe.kind', 'smoe'))).toBe(
      'model:\n  moe: # none yet\n    kind: smoe\n  layers: 1\n',
    );
  });

  it.each([
    ['model:\r\n    layers: 1\r\n', 'model.context', 'model:\r\n    layers: 1\r\n    context: 1\r\n'],
    ['\uFEFFmodel:\n  layers: 1', 'name', '\uFEFFname: 1\nmodel:\n  layers: 1'],
    ['\uFEFFlayers: 1', 'b', '\uFEFFlayers: 1\nb: 1'],
    ['a: {}', 'a.b', 'a: { b: 1 }'],
    ['a: {\n  b: 1, # one\n  c: 2 # two\n}', 'a.d', 'a: {\n  b: 1, # one\n  c: 2, # two\n  d: 1\n}'],
    ['a: {\n  b: 1,\n  c: 2, # two\n}', 'a.d', 'a: {\n  b: 1,\n  c: 2, # two\n  d: 1,\n}'],
    ['- a: 1\n  b: 2\n- c: 1\n', '0.d', '- a: 1\n  b: 2\n  d: 1\n- c: 1\n'],
    ['a: |+\n  x\n\n\nb: 1\n', 'c', 'a: |+\n  x\n\n\nb: 1\nc: 1\n'],
    ['b: 1\na: |+\n  x\n\n', 'c', 'b: 1\na: |+\n  x\n\nc: 1\n'],
    ['a: *b', 'c', undefined],
    ['a: "\u{1F9EA}" # \u{1F9EA}\t#\n', 'c', 'a: "\u{1F9EA}" # \u{1F9EA}\t#\nc: 1\n'],
    ['---\na: 1\n...\n', 'c', '---\na: 1\nc: 1\n...\n'],
  ])('%j with %s: %j', (text, key, expected) => {
    expect(after(text, set(key, 1))).toBe(expected);
  });
});

describe('a key that goes', () => {
  it('takes its line and the comment behind it', () => {
    expect(after(config, remove('model.moe.experts'))).toBe(config.replace('    experts: 8 # E\n', ''));
    expect(after(config, remove('model.moe.router.score'))).toBe(config.replace('score: softmax, ', ''));
    expect(after(config, remove('model.moe.router.balance'))).toBe(config.replace(', balance: top_k', ''));
    expect(after(config, remove('model.moe'))).toBe(config.replace(/ {2}moe:\n[^]*(?=train)/, ''));
    expect(after(config, remove('train'))).toBe(config.replace(/train:[^]*/, ''));
  });

  it('takes a section with it that is left empty', () => {
    expect(after(config, remove('train.steps'))).toBe(config.replace(/train:[^]*/, ''));
    expect(after(config, remove('model.moe.router.score'), remove('model.moe.router.balance'))).toBe(config.replace(/ {4}router:.*\n/, ''));
    expect(after('a: { b: { c: 1 } }\nd: 1\n', remove('a.b.c'))).toBe('d: 1\n');
    expect(after('a: 1\n', remove('a'))).toBe('');
    expect(after('{ a: 1 }', remove('a'))).toBe('{}');
  });

  it('is no edit where it is not there', () => {
    expect(editsFor(config, [remove('model.moe.heads')])).toEqual([]);
  });

  it.each([
    ['- a: 1\n  b: 2\n', '0.a', '- b: 2\n'],
    ['x: [1, 2, 3]', 'x.1', 'x: [1, 3]'],
    ['x: [&a 1, &b 2, 3]', 'x.0', 'x: [&b 2, 3]'],
    ['x:\n- &a 1\n- 2\n', 'x.0', 'x:\n- 2\n'],
    ['x:\r\n  - 1\r\n  - 2 # two\r\n  - 3\r\n', 'x.1', 'x:\r\n  - 1\r\n  - 3\r\n'],
    ['x: {\n  a: 1, # one\n  b: 2, # two\n  c: 3 # three\n}', 'x.c', 'x: {\n  a: 1, # one\n  b: 2 # two\n}'],
    ['x: {\n  a: 1, # one\n  b: 2, # two\n  c: 3 # three\n}', 'x.a', 'x: {\n  b: 2, # two\n  c: 3 # three\n}'],
    ['\uFEFFa: 1\nb: 2', 'a', '\uFEFFb: 2'],
    ['a: &x 1\nb: *x', 'a', undefined],
    ['a: 1\na: 2', 'a', undefined],
  ])('%j without %s: %j', (text, key, expected) => {
    expect(after(text, remove(key))).toBe(expected);
  });
});

describe('a key without its value', () => {
  const variant = 'extends: base.moe.yaml\r\nmodel:\r\n    layers: 6 # fewer\r\n';

  it('is put in where only a base states it, with the sections that it needs', () => {
    expect(after(variant, empty('model.moe'))).toBe(`${variant}    moe:\r\n`);
    expect(after(variant, empty('train'))).toBe(`${variant}train:\r\n`);
    expect(after('extends: base.moe.yaml\n', empty('model.attention.moe'))).toBe(
      'extends: base.moe.yaml\nmodel:\n  attention:\n    moe:\n',
    );
    expect(after('extends: base.moe.yaml\nmodel:\n', empty('model.moe'))).toBe('extends: base.moe.yaml\nmodel:\n  moe:\n');
    expect(after('', empty('data'))).toBe('data:\n');
  });

  it('loses the value that it has, and nothing else', () => {
    expect(after(config, empty('model.moe'))).toBe(config.replace(/moe:\n[^]*(?=train)/, 'moe:\n'));
    expect(after(config, empty('model.moe.experts'))).toBe(config.replace('experts: 8 #', 'experts: #'));
    expect(after(config, empty('model.moe.router.score'))).toBe(config.replace('score: softmax', 'score: null'));
    expect(after('model: { layers: 2, moe: { experts: 8 } }\n', empty('model.moe'))).toBe('model: { layers: 2, moe: null }\n');
    expect(after('model: { layers: 2 }\n', empty('model.moe'))).toBe('model: { layers: 2, moe: null }\n');
    expect(after('model: { layers: 2 }\n', empty('model.attention.moe'))).toBe('model: { layers: 2, attention: { moe: null } }\n');
  });

  it('stays as it is where it has none, and is none of a list', () => {
    expect(editsFor('model:\n  moe: # none\n', [empty('model.moe')])).toEqual([]);
    expect(after('train: [a.txt]\n', empty('train.0'))).toBeUndefined();
    expect(after('model: 3\n', empty('model.moe'))).toBeUndefined();
    expect(after('a: &x { b: 1 }\nc: *x\n', empty('a'))).toBeUndefined();
    expect(after('a: &x { b: 1 }\nc: *x\n', empty('c.b'))).toBeUndefined();
  });

  it('gets one again', () => {
    const taken = after(variant, empty('model.moe')) ?? '';
    expect(after(taken, set('model.moe.experts', 4))).toBe(`${variant}    moe:\r\n        experts: 4\r\n`);
    expect(after(taken, remove('model.moe'))).toBe(variant);
    const inBrackets = after('model: { layers: 2 }\n', empty('model.moe'), set('model.moe.experts', 4));
    expect(inBrackets).toBe('model: { layers: 2, moe: { experts: 4 } }\n');
  });
});

describe('a key that moves', () => {
  it('takes another name at its place', () => {
    expect(after(config, move('model.d_model', 'model.width'))).toBe(config.replace('d_model', 'width'));
    expect(after("'a b': { c: 1 } # x", move('a b', 'd'))).toBe("'d': { c: 1 } # x");
  });

  it.each([
    ['a:\n  x: 1 # one\n  y: 2\nb:\n    z: 3\n', 'a.x', 'b.x', 'a:\n  y: 2\nb:\n    z: 3\n    x: 1 # one\n'],
    ['a:\n  x: 1 # one\n  y: 2\n', 'a.x', 'b.x', 'a:\n  y: 2\nb:\n  x: 1 # one\n'],
    ['a:\n  x: 1 # one\n  y: 2\nb: { z: 3 }\n', 'a.x', 'b.w', 'a:\n  # one\n  y: 2\nb: { z: 3, w: 1 }\n'],
    ['a: { x: 0x10, v: [1, 2] }\nb:\n  z: 3\n', 'a.v', 'b.v', 'a: { x: 0x10 }\nb:\n  z: 3\n  v: [1, 2]\n'],
    ['a: { x: 0x10, y: [1, 2] }\n', 'a.x', 'x', 'a: { y: [1, 2] }\nx: 0x10\n'],
    ['a:\n  x:\n    # in\n    - 1\n    - 2\n  y: 2\n', 'a.x', 'x', 'a:\n  y: 2\nx:\n  # in\n  - 1\n  - 2\n'],
    ['a:\n  x:\n    - 1\n    - 2\nb: {}\n', 'a.x', 'b.x', 'b: { x: [1, 2] }\n'],
    ['a:\n  x: |\n    text\n\n    more\n', 'a.x', 'b', 'b: |\n  text\n\n  more\n'],
    ['a:\n  x:\n    w:\n    z: 1\nb: { v: 2 }\n', 'a.x', 'b.x', 'b: { v: 2, x: { w: null, z: 1 } }\n'],
    ['a: 1\nb: 2\n', 'a', 'b', undefined],
    ['a: &x 1\nb: { c: *x }\n', 'a', 'b.a', undefined],
    ['b: &x 1\na: *x\nc: {}\n', 'a', 'c.a', 'b: &x 1\nc: { a: *x }\n'],
  ])('%j from %s to %s: %j', (text, from, to, expected) => {
    expect(after(text, move(from, to))).toBe(expected);
  });
});

it('comments above the first key of a section stay with it; those above the first key of all are about the whole text', () => {
  const text = '# An experiment.\nmodel:\n  moe:\n    # narrow,\n    # on purpose\n    expert_width: 64\n';
  const added = after(text, set('model.moe.experts', 8), set('extends', 'a.moe.yaml'));
  expect(added).toBe(text.replace('    # narrow', '    experts: 8\n    # narrow').replace('model:', 'extends: a.moe.yaml\nmodel:'));
});

describe('several changes', () => {
  it('are made in their order, and edits are those of the text before them', () => {
    expect(after(config, set('model.moe.expert_width', 768), set('model.moe.experts', 41), remove('train'), set('name', 'x'))).toBe(
      config
        .replace('experts: 8 # E\n', 'experts: 41 # E\n    expert_width: 768\n')
        .replace(/train:[^]*/, '')
        .replace('model:', 'name: x\nmodel:'),
    );
    expect(after(config, move('model.moe.router.balance', 'model.moe.router.b'), set('model.moe.router.b', 'none'))).toBe(
      config.replace('balance: top_k', 'b: none'),
    );
    expect(after('a: 1\n', set('b', { x: 1 }), set('b', { x: 1, v: 2 }), remove('a'))).toBe('b: { x: 1, v: 2 }\n');
  });
});

it('a value with a tag that would not suit its next one stays', () => {
  expect(editsFor('model: !!str 1\n', [{ kind: 'set', path: ['model'], value: { layers: 4 } }])).toBeUndefined();
});
