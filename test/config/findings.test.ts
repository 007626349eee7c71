import { describe, expect, it } from 'vitest';
import { load, shown, valid } from './memoryFiles';

/** Replaces one piece of the valid config. */
function edited(piece: string, replacement: string): string {
  expect(valid).toContain(piece);
  return valid.replace(piece, () => replacement);
}

function findingsOf(text: string): string[] {
  return load(text).findings.map((finding) => shown(finding, { 'a.moe.yaml': text }));
}

describe('the text', () => {
  it.each([
    ['a bracket left open', edited('[corpus/*.txt]', '[corpus/*.txt')],
    ['a tab', edited('  layers: 4', '\tlayers: 4')],
    ['a quote left open', edited('MH-MoE (head=2)', '"MH-MoE')],
    ['two keys in a line', edited('d_model: 256', 'd_model: layers: 4')],
    ['a key twice', edited('  layers: 4\n', '  layers: 4\n  layers: 6\n')],
    ['an alias of nothing', edited('d_model: 256', 'd_model: *width')],
    ['an alias of itself', 'model: &m { attention: *m }'],
    ['two documents', `${valid}---\nname: other\n`],
    ['nothing', ''],
    ['only a comment', '# to do\n'],
    ['a list', '- model\n'],
    ['a sentence', 'hello there'],
  ])('%s', (_, text) => {
    expect(findingsOf(text)).toMatchSnapshot();
    expect(load(text).experiment).toBeUndefined();
  });
});

describe('keys', () => {
  it.each([
    ['a slip of the pen', edited('top_k', 'topk')],
    ['two letters swapped', edited('experts: 40', 'exprets: 40')],
    ['camel case', edited('  d_model: 256', '  dModel: 256')],
    ['in the wrong place', edited('  layers: 4', '  layers: 4\n  top_k: 2')],
    ['in the wrong place, of two', edited('  layers: 4', '  layers: 4\n  norm: layer\n  score: sigmoid')],
    ['in the wrong place, top level', edited('  layers: 4', '  layers: 4\n  parity: smoe.moe.yaml')],
    ['of an earlier version', edited('    top_k: 2', '    top_k: 2\n    balance_weight: 0.01\n    renormalize: true')],
    ['unlike any', edited('  layers: 4', '  layers: 4\n  colour: blue')],
    ['unlike any at the top level', `${valid}colour: blue\n`],
    ['of the prototype', `${valid}__proto__: { polluted: true }\n`],
    ['missing', edited('  d_model: 256\n', '')],
    ['missing inside', edited('{ heads: 4, position: rope }', '{ position: rope }')],
    ['model missing', 'name: nothing else\n'],
    ['without a value', edited('  layers: 4', '  layers:')],
  ])('%s', (_, text) => {
    expect(findingsOf(text)).toMatchSnapshot();
    expect(load(text).experiment).toBeUndefined();
  });
});

it('a key with a default and without a value is as if it were not there', () => {
  expect(findingsOf(edited('    every: 2\n', '    every:\n'))).toEqual([]);
  const { experiment } = load(edited('    heads: 2', '    heads:\n    router:').replace('evaluate: { every: 250 }', 'evaluate:'));
  expect(experiment).toEqual(load(edited('    heads: 2\n', '').replace('evaluate: { every: 250 }\n', '')).experiment);
});

describe('values', () => {
  it.each([
    ['text for a number', edited('d_model: 256', 'd_model: wide')],
    ['half a layer', edited('layers: 4', 'layers: 4.5')],
    ['no layers', edited('layers: 4', 'layers: 0')],
    ['too many layers', edited('layers: 4', 'layers: 1000000')],
    ['a word that is no choice', edited('mh-moe', 'mhmoe')],
    ['a number for a mapping', edited('{ heads: 4, position: rope }', '4')],
    ['a text for a list', edited('[corpus/*.txt]', 'corpus/*.txt')],
    ['an empty list', edited('[corpus/*.txt]', '[]')],
    ['an empty list inside', edited('[valid/*.txt]', '[]')],
    ['three betas', edited('[0.9, 0.95]', '[0.9, 0.95, 0.99]')],
    ['a beta of 1', edited('[0.9, 0.95]', '[0.9, 1]')],
    ['infinity', edited('learning_rate: 1.0e-3', 'learning_rate: .inf')],
    ['an empty name', edited('MH-MoE (head=2)', "''")],
    ['a set without a name', edited('prose:', '"":')],
    ['a word in a list of layers', edited('every: 2', 'layers: [1, two]')],
    ['bits that are no choice', edited('  moe:\n', '  bitnet: { activation_bits: 4 }\n  moe:\n')],
    ['several at once', edited('d_model: 256', 'd_model: wide').replace('layers: 4', 'layers: -1').replace('top_k', 'topk')],
  ])('%s', (_, text) => {
    expect(findingsOf(text)).toMatchSnapshot();
    expect(load(text).experiment).toBeUndefined();
  });
});

describe('values together', () => {
  it.each([
    ['attention heads', edited('heads: 4', 'heads: 3'), 'error'],
    ['odd head width', edited('d_model: 256', 'd_model: 252').replace('{ heads: 4,', '{ heads: 36,'), 'error'],
    ['moe heads', edited('heads: 2', 'heads: 3'), 'error'],
    ['top_k', edited('top_k: 2', 'top_k: 41'), 'error'],
    ['batch tokens', edited('batch_tokens: 8192', 'batch_tokens: 8000'), 'error'],
    ['batch tokens below one microbatch', edited('batch_tokens: 8192', 'batch_tokens: 100'), 'error'],
    ['vocabulary', edited('vocabulary: 256', 'vocabulary: 100'), 'error'],
    ['minimum learning rate', edited('min_learning_rate: 1.0e-4', 'min_learning_rate: 2.0e-3'), 'error'],
    ['heads of smoe', edited('mh-moe', 'smoe'), 'warning'],
    ['no routed layer', edited('every: 2', 'every: 5'), 'warning'],
    ['warm-up', edited('warmup: 100', 'warmup: 2000'), 'warning'],
    ['baseline missing', `parity: smoe.moe.yaml\n${valid}`, 'warning'],
  ])('%s', (_, text, severity) => {
    expect(findingsOf(text)).toMatchSnapshot();
    expect(load(text).findings.map((finding) => finding.severity)).toEqual([severity]);
    expect(load(text).experiment === undefined).toBe(severity === 'error');
  });

  it('are quiet at their borders', () => {
    const text = edited('top_k: 2', 'top_k: 40')
      .replace('every: 2', 'every: 4')
      .replace('warmup: 100', 'warmup: 1999')
      .replace('1.0e-4', '1.0e-3');
    expect(findingsOf(text)).toEqual([]);
  });

  it('warn of an MH-MoE of one head, and train it: SMoE between two projections (2411.16205, table 4)', () => {
    const text = edited('heads: 2', 'heads: 1');
    expect(load(text).findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual(['warning mh-moe-one-head']);
    expect(load(text).experiment?.model.moe?.heads).toBe(1);
  });

  it('are told beside an unknown key', () => {
    const codes = load(edited('top_k: 2', 'top_k: 41').replace('every: 2', 'evry: 2')).findings.map((finding) => finding.code);
    expect(codes).toEqual(['unknown-key', 'top-k']);
  });
});
