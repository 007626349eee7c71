import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/loadConfig';
import { saidByYamlExtension, type Beside } from '../../src/language/besideYaml';
import { completionsAt } from '../../src/language/completion/completionsAt';
import { hoverAt } from '../../src/language/hover';
import { ruleList } from '../../src/language/ruleList';
import { valid } from '../config/memoryFiles';
import { startYamlLanguageServer, type YamlLanguageServer } from '../support/yamlLanguageServer';
import { analysisOf, hintedTexts } from './hintedConfigs';

/**
 * Beside Red Hat's YAML extension nothing is said twice and nothing is lost: held against the language server that it runs, with the schema
 * that package.json gives it.
 */
let server: YamlLanguageServer;
beforeAll(async () => {
  server = await startYamlLanguageServer('media/moe.schema.json');
}, 60_000);
afterAll(() => server.stop());

function edited(piece: string, replacement: string): string {
  expect(valid).toContain(piece);
  return valid.replace(piece, () => replacement);
}

/** Texts with something wrong that the schema or YAML itself refuses. */
function brokenTexts(): readonly string[] {
  const attention = '{ heads: 4, position: rope }';
  return [
    edited('[corpus/*.txt]', '[corpus/*.txt'),
    edited('  layers: 4', '\tlayers: 4'),
    edited('MH-MoE (head=2)', '"MH-MoE'),
    edited('d_model: 256', 'd_model: layers: 4'),
    edited('  layers: 4\n', '  layers: 4\n  layers: 6\n'),
    edited('d_model: 256', 'd_model: *width'),
    edited('d_model: 256', 'd_model: !foo 256'),
    edited('d_model: 256', "d_model: '256'"),
    edited('d_model: 256', 'd_model: yes'),
    edited('d_model: 256', 'd_model: -1'),
    edited('d_model: 256', 'd_model: 2097152'),
    edited('d_model: 256', 'd_model: 1_000'),
    edited('  d_model: 256\n', ''),
    edited('top_k', 'topk'),
    edited('  layers: 4', '  layers: 4\n  top_k: 2'),
    edited('    top_k: 2', '    top_k: 2\n    balance_weight: 0.01\n    renormalize: true'),
    edited('  layers: 4', '  layers:'),
    edited('  layers: 4', '  layers: [4]'),
    edited(attention, '{ position: rope }'),
    edited(attention, '3'),
    edited(attention, ''),
    edited(attention, '{ heads: 4, position: Rope }'),
    edited(attention, '{ heads: 4, moe: { experts: 2, top_k: 1, projections: [a, value] } }'),
    edited(attention, '{ <<: { heads: 4 } }'),
    edited('model:', 'base: &b { heads: 3 }\nmodel:\n  <<: *b'),
    edited('kind: mh-moe', 'kind:'),
    edited('every: 2', 'layers: [1, 1000]'),
    edited('every: 2', 'layers: []'),
    edited('betas: [0.9, 0.95]', 'betas: [0.9]'),
    edited('betas: [0.9, 0.95]', 'betas: [0.9, 2]'),
    edited('train: [corpus/*.txt]', 'train: []'),
    edited('train: [corpus/*.txt]', 'train: corpus'),
    edited('{ prose: [valid/*.txt] }', '{ prose: x }'),
    edited('{ prose: [valid/*.txt] }', '{ "": [x] }'),
    edited('name: MH-MoE (head=2)', 'name: ""'),
    edited('name: MH-MoE (head=2)', 'name: 3'),
    edited('clip: 1.0', 'clip: .nan'),
    edited('clip: 1.0', 'clip: .inf'),
    edited('seed: 1', 'seed: 1.5'),
    edited('seed: 1', 'seed: 1e30'),
    edited('learning_rate: 1.0e-3', 'learning_rate: 0'),
    edited('engine: { device: cpu }', 'engine: { device: gpu }'),
    edited('train: {', 'train: { masking: 3,'),
    `${valid}---\nname: other\n`,
    `${valid}__proto__: { polluted: true }\n`,
    `${valid}sweep: 3\n`,
    `${valid}sweep:\n  model.moe.top_k: 3\n`,
    `${valid}sweep:\n  - 3\n`,
    `${valid}lint: { a: b }\n`,
    'extends: b.moe.yaml\nmodel:\n  moe: { kind: smoe }\n',
    'extends: b.moe.yaml\nmodel:\n  moee: { kind: smoe }\n',
    'model: &m { attention: *m }',
    'model:\n  d_model: 3\n layers: 2\n',
    'model: {d_model: 3,, layers: 2}\n',
    'model: @x\n',
    'name: nothing else\n',
    'hello there',
    '- model\n',
    '# to do\n',
    '',
    '}\n',
    ': \n',
    '\uFEFFmodel: 3\n',
    'model:\r\n  d_model: 3\r\n',
  ];
}

it('what is left to the YAML extension, it says, on the same lines', async () => {
  let [left, kept] = [0, 0];
  await Promise.all(
    brokenTexts().map(async (text) => {
      const theirs = await server.diagnostics('a.moe.yaml', text);
      const files: Readonly<Record<string, string>> = { '/lab/a.moe.yaml': text, '/lab/b.moe.yaml': 'model: { d_model: 8 }\n' };
      const { findings } = loadConfig('/lab/a.moe.yaml', (file) => files[file]);
      const own = findings.filter(({ file }) => file === '/lab/a.moe.yaml');
      for (const finding of own) {
        const { range, code, message } = finding;
        const there = theirs.filter(({ range: { start, end } }) => start.line <= range.end.line && end.line >= range.start.line);
        if (saidByYamlExtension(finding, text)) {
          left += 1;
          expect(there, `${code}: ${message}\n${text}`).not.toEqual([]);
        } else kept += 1;
      }
      expect(own.length, text).toBeGreaterThan(0);
    }),
  );
  expect(left).toBeGreaterThan(50);
  expect(kept).toBeGreaterThan(10);
}, 60_000);

it('a config without errors is one for the YAML extension too', async () => {
  await Promise.all(
    [valid, ...Object.entries(hintedTexts).flatMap(([name, text]) => (name === 'broken.moe.yaml' ? [] : [text]))].map(async (text) => {
      // It remarks on anchors that nobody uses.
      expect(
        (await server.diagnostics('a.moe.yaml', text)).filter(({ severity }) => severity < 3),
        text,
      ).toEqual([]);
    }),
  );
}, 60_000);

describe('completions', () => {
  const marked = [
    '│',
    '# mine\n│',
    'model:\n  │\n',
    'model:\n  d_model: 8\n  mo│\n',
    'model:\n  moe:\n    │\n',
    'model:\n  moe: { kind: smoe, h│ }\n',
    'model:\n  moe:\n    kind: │\n',
    'model:\n  tie_embeddings: │\n',
    'model:\n  vocabulary: │\n',
    'extends: │\n',
    'parity: │\n',
    'data:\n  train: [│]\n',
    'data:\n  train:\n    - │\n',
    'data:\n  tokenizer: │\n',
    'data:\n  validation:\n    prose: [│]\n',
    'lint:\n  │\n',
    'lint:\n  ample-capacity: │\n',
    'sweep:\n  │\n',
    'sweep:\n  - │\n',
    'sweep:\n  model.moe.kind: [│]\n',
    'model: # moe-lab-│\n',
    '# moe-lab-disable │\n',
  ];
  const folder = ['base.moe.yaml', 'text.txt'].map((name) => ({ name, isFolder: false }));
  const sources = { listFolder: () => folder, presets: () => [] };

  function ours(place: string, beside: Beside) {
    const offset = place.indexOf('│');
    const before = place.slice(0, offset).split('\n');
    const position = { line: before.length - 1, character: (before.at(-1) ?? '').length };
    const text = place.replace('│', '');
    const labels = completionsAt({ file: '/lab/a.moe.yaml', text, position, beside }, sources).map(({ label }) => label);
    return { text, position, labels };
  }

  it.each(marked)('at %j are said once', async (place) => {
    const { text, position, labels } = ours(place, 'yaml');
    const theirs = (await server.completions('a.moe.yaml', text, position)).map(({ label }) => label);
    expect(labels.filter((label) => theirs.includes(label))).toEqual([]);
    // What is said alone and by neither of the two beside each other would be lost.
    const both = new Set([...labels, ...theirs.map((label) => label.replaceAll('"', ''))]);
    const lost = ours(place, 'alone').labels.filter((label) => !both.has(label));
    // It completes no default of a number.
    expect(lost.filter((label) => !/^\d+$/.test(label))).toEqual([]);
  });
});

it('a section is completed without the defaults of all its keys, of which some would have no effect', async () => {
  const items = await server.completions('a.moe.yaml', 'model:\n  moe:\n    ro\n', { line: 2, character: 6 });
  expect(items.find(({ label }) => label === 'router')?.insertText?.trimEnd()).toBe('router:');
});

it('what the schema has of `lint` are the rules that can be set, and no other code is refused by it', async () => {
  const items = await server.completions('a.moe.yaml', 'lint:\n  \n', { line: 1, character: 2 });
  const settable = ruleList.filter(({ advisory }) => advisory).map(({ code }) => code);
  expect(items.map(({ label }) => label).toSorted()).toEqual(settable.toSorted());
  const known = await server.diagnostics('a.moe.yaml', `${valid}lint: { no-balance: off }\n`);
  const unknown = await server.diagnostics('a.moe.yaml', `${valid}lint: { no-such-rule: off, yaml-syntax: off }\n`);
  expect([known, unknown]).toEqual([[], []]);
  expect(await server.diagnostics('a.moe.yaml', `${valid}lint: { no-balance: never }\n`)).toHaveLength(1);
});

describe('hovers', () => {
  const text = hintedTexts['mh-moe.moe.yaml'] ?? '';
  it.each(['heads', 'experts', 'kind', 'top_k', 'expert_width', 'parity', 'learning_rate'])('over %s are said once', async (key) => {
    const offset = text.indexOf(`${key}:`);
    const before = text.slice(0, offset).split('\n');
    const position = { line: before.length - 1, character: (before.at(-1) ?? '').length + 1 };
    const theirs = (await server.hover('mh-moe.moe.yaml', text, position)) ?? '';
    const analysis = analysisOf(hintedTexts, 'mh-moe.moe.yaml');
    const beside = hoverAt(analysis, position, 'yaml')?.markdown ?? '';
    const lines = (markdown: string) => markdown.split('\n').filter((line) => line.trim() !== '');
    expect(lines(beside).filter((line) => theirs.includes(line))).toEqual([]);
    // Description, formula, effect and source reach people through the schema.
    const alone = lines(hoverAt(analysis, position, 'alone')?.markdown ?? '');
    const sentences = alone.flatMap((line) => line.split(/(?<=\.) /));
    const missing = sentences.filter((sentence) => !beside.includes(sentence) && !plain(theirs).includes(plain(sentence)));
    expect(missing.filter((sentence) => !sentence.startsWith('**'))).toEqual([]);
  });
});

it('a code in `lint` is explained once', async () => {
  const text = `${hintedTexts['mh-moe.moe.yaml'] ?? ''}lint:\n  ample-capacity: off\n`;
  const position = { line: text.split('\n').length - 2, character: 4 };
  const analysis = analysisOf({ ...hintedTexts, 'mh-moe.moe.yaml': text }, 'mh-moe.moe.yaml');
  const alone = hoverAt(analysis, position, 'alone')?.markdown ?? '';
  expect(alone).toContain('so large that nothing is ever dropped');
  expect(await server.hover('mh-moe.moe.yaml', text, position)).toContain('so large that nothing is ever dropped');
  expect(hoverAt(analysis, position, 'yaml')).toBeUndefined();
});

/** Without what Markdown escapes. */
function plain(markdown: string): string {
  return markdown.replaceAll('\\', '');
}
