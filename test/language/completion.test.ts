import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import { describeKey } from '../../src/config/describeKey';
import { presets } from '../../src/config/presets/catalogue';
import { presetText } from '../../src/config/presets/presetText';
import type { Beside } from '../../src/language/besideYaml';
import type { Completion, CompletionSources } from '../../src/language/completion/completion';
import { completionsAt } from '../../src/language/completion/completionsAt';
import { ruleList } from '../../src/language/ruleList';

const folders: Readonly<Record<string, readonly string[]>> = {
  '/lab': ['a.moe.yaml', 'base.moe.yaml', 'notes.md', 'corpus/', '.moe-lab/', 'node_modules/', '#odd, name.txt'],
  '/lab/corpus': ['one.txt', 'two.txt', 'variant.moe.yaml', 'more/'],
  '/': ['lab/'],
};
const sources: CompletionSources = {
  listFolder: (folder) => (folders[folder] ?? []).map((name) => ({ name: name.replace(/\/$/, ''), isFolder: name.endsWith('/') })),
  presets: () => presets.map((preset) => ({ preset, text: presetText(preset) })),
};

interface At {
  readonly text: string;
  readonly offset: number;
  readonly completions: readonly Completion[];
}

function at(marked: string, beside: Beside = 'alone'): At {
  const offset = marked.indexOf('│');
  const text = marked.replace('│', '');
  const before = text.slice(0, offset).split('\n');
  const position = { line: before.length - 1, character: (before.at(-1) ?? '').length };
  return { text, offset, completions: completionsAt({ file: '/lab/a.moe.yaml', text, position, beside }, sources) };
}

const labels = (marked: string, beside?: Beside) =>
  at(marked, beside)
    .completions.toSorted((one, other) => (one.sortText < other.sortText ? -1 : 1))
    .map(({ label }) => label);

/** The text with a completion accepted; what is to be filled in has its first choice, else 1. */
function accepted({ text, completions }: At, label: string): string {
  const chosen = completions.find((one) => one.label === label);
  if (chosen === undefined) throw new Error(`There is no completion ${label}.`);
  const lines = text.split('\n');
  const { start, end } = chosen.range;
  const line = lines[start.line] ?? '';
  const indent = /^\s*/.exec(line)?.[0] ?? '';
  const plain = chosen.isSnippet
    ? chosen.insertText
        .replace(/\$\{\d+\|([^,|]+)[^}]*\}/g, '$1')
        .replace(/\$\{\d+:([^}]*)\}/g, '$1')
        .replace(/\$\{\d+\}/g, '1')
        .replace(/\$0/g, '')
        .replace(/\\([\\$}])/g, '$1')
        .replaceAll('\n', `\n${indent}`)
    : chosen.insertText;
  lines[start.line] = `${line.slice(0, start.character)}${plain}${line.slice(end.character)}`;
  return lines.join('\n');
}

const parsed = (text: string): unknown => {
  const document = parseDocument(text);
  expect(document.errors, text).toEqual([]);
  return document.toJS();
};

describe('keys', () => {
  it('are those that the mapping does not have, the required ones first', () => {
    expect(labels('model:\n  layers: 2\n  │\n').slice(0, 6)).toEqual(['d_model', 'context', 'attention', 'ffn', 'vocabulary', 'objective']);
    expect(labels('model:\n  moe: { kind: smoe, │ }\n').slice(0, 3)).toEqual(['experts', 'top_k', 'expert_width']);
    expect(labels('name: x\nmodel:\n  layers: 2\n│\n')).not.toContain('name');
    expect(labels('│\n', 'alone').slice(0, 2)).toEqual(['model', 'name']);
    expect(labels('model:\n  d_model:\n    │\n')).toEqual([]);
    expect(labels('data:\n  validation:\n    │\n')).toEqual([]);
  });

  it('say what they mean and what they must be', () => {
    const { completions } = at('model:\n  moe:\n    he│\n');
    expect(completions.find(({ label }) => label === 'heads')).toMatchObject({
      kind: 'key',
      detail: 'a whole number of at least 1 and at most 65,536; default 1',
      documentation: expect.stringContaining('`sub-token width = d / h;'),
    });
  });

  it('bring what must stand in them, in blocks and in braces', () => {
    expect(accepted(at('model:\n  d_model: 8\n  mo│\n'), 'moe')).toBe(
      'model:\n  d_model: 8\n  moe:\n    kind: smoe\n    experts: 1\n    top_k: 1\n    expert_width: 1\n',
    );
    expect(accepted(at('model: { mo│ }\n'), 'moe')).toBe('model: { moe: { kind: smoe, experts: 1, top_k: 1, expert_width: 1 } }\n');
    expect(accepted(at('│\n'), 'model')).toBe(
      'model:\n  d_model: 1\n  layers: 1\n  context: 1\n  attention:\n    heads: 1\n  ffn:\n    width: 1\n',
    );
    expect(accepted(at('model:\n  la│yers: 2\n'), 'layers')).toBe('model:\n  layers: 2\n');
  });

  it('of every section give YAML that has them, wherever they are typed', () => {
    const sections = [
      [],
      ['model'],
      ['model', 'attention'],
      ['model', 'attention', 'moe'],
      ['model', 'moe'],
      ['model', 'moe', 'router'],
      ['train'],
      ['data'],
    ];
    for (const path of sections) {
      const block = `${path.map((key, depth) => `${'  '.repeat(depth)}${key}:\n`).join('')}${'  '.repeat(path.length)}│\n`;
      const flow = path.length === 0 ? undefined : `${path.map((key) => `${key}: { `).join('')}│${' }'.repeat(path.length)}\n`;
      for (const marked of [block, ...(flow === undefined ? [] : [flow])]) {
        const place = at(marked);
        const keys = place.completions.filter(({ kind }) => kind === 'key' || kind === 'section');
        expect(keys.map(({ label }) => label).sort()).toEqual([...(describeKey(path)?.keys ?? [])].sort());
        for (const { label } of keys) {
          const inner = path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], parsed(accepted(place, label)));
          expect(inner, `${marked} ${label}`).toHaveProperty([label]);
        }
      }
    }
  });
});

describe('values', () => {
  it('are the words that a key may be, with what each means; its default else', () => {
    expect(labels('model:\n  moe:\n    kind: │\n')).toEqual(['smoe', 'mh-moe']);
    expect(labels('model:\n  scale_embeddings: │\n')).toEqual(['true', 'false']);
    expect(labels('model:\n  vocabulary: │\n')).toEqual(['256']);
    expect(labels('model:\n  d_model: │\n')).toEqual([]);
    const [first] = at('model:\n  norm: │\n').completions;
    expect(first).toMatchObject({ label: 'rms', detail: 'default', documentation: 'rms: RMSNorm (1910.07467).' });
    expect(accepted(at('model:\n  norm:│\n'), 'layer')).toBe('model:\n  norm: layer\n');
    expect(labels('model:\n  attention: { heads: 2, moe: { experts: 2, top_k: 1, projections: [va│] } }\n')).toEqual([
      'query',
      'key',
      'value',
      'output',
    ]);
  });
});

describe('files', () => {
  it('are other configs for `extends` and `parity`, folder by folder', () => {
    expect(labels('extends: │\n')).toEqual(['base.moe.yaml', 'corpus/']);
    expect(labels('parity: corpus/│\n')).toEqual(['corpus/variant.moe.yaml', 'corpus/more/']);
    expect(labels('extends: nowhere/│\n')).toEqual([]);
    expect(labels('extends: ../│\n')).toEqual(['../lab/']);
    expect(accepted(at('extends:│\n'), 'base.moe.yaml')).toBe('extends: base.moe.yaml\n');
    expect(accepted(at('parity: "ba│"\n'), 'base.moe.yaml')).toBe('parity: "base.moe.yaml"\n');
  });

  it('are texts for data, or all of a kind, in quotes where YAML needs them', () => {
    expect(labels('data:\n  train: [corpus/│]\n')).toEqual(['corpus/*.txt', 'corpus/one.txt', 'corpus/two.txt', 'corpus/more/']);
    expect(labels('data:\n  train:\n    - │\n')).toEqual(['#odd, name.txt', 'notes.md', 'corpus/']);
    expect(labels('data:\n  validation:\n    prose: [│]\n')).toContain('notes.md');
    expect(parsed(accepted(at('data:\n  train: [│]\n'), '#odd, name.txt'))).toEqual({ data: { train: ['#odd, name.txt'] } });
    expect(labels('data:\n  tokenizer: │\n')).toEqual(['bytes']);
  });
});

describe('presets', () => {
  it('are offered as whole configs where there is none yet', () => {
    const whole = at('# mine\n│');
    const offered = whole.completions.filter(({ kind }) => kind === 'preset');
    expect(offered.map(({ label }) => label)).toEqual(presets.map(({ id }) => id));
    expect(parsed(accepted(whole, 'mh-moe/table-1/smoe'))).toMatchObject({ model: { d_model: 768 } });
    expect(labels('mh-moe│').filter((label) => label === 'mh-moe/table-1/smoe')).toHaveLength(1);
    expect(at('model:\n  layers: 2\n│').completions.filter(({ kind }) => kind === 'preset')).toEqual([]);
  });
});

describe('rules', () => {
  const advisory = ruleList.filter((rule) => rule.advisory).map(({ code }) => code);

  it('are offered in `lint:`, those that can be set', () => {
    expect(labels('lint:\n  │\n').sort()).toEqual([...advisory].sort());
    expect(labels('lint:\n  ample-capacity: off\n  │\n')).not.toContain('ample-capacity');
    expect(labels('lint: { ample-capacity: │ }\n')).toEqual(['off', 'information', 'warning', 'error']);
    expect(parsed(accepted(at('lint:\n  am│\n'), 'ample-capacity'))).toEqual({ lint: { 'ample-capacity': null } });
  });

  it('are offered in comments that suppress them, with room for the reason', () => {
    expect(labels('model: # mo│\n')).toEqual(['moe-lab-disable-line', 'moe-lab-disable-next-line', 'moe-lab-disable']);
    expect(labels('model: # no code│\n')).toEqual([]);
    expect(labels('# moe-lab-disable-next-line │\n').sort()).toEqual([...advisory].sort());
    expect(labels('# moe-lab-disable no-balance, │\n')).not.toContain('no-balance');
    expect(accepted(at('# moe-lab-disable no-│\n'), 'no-balance')).toBe('# moe-lab-disable no-balance -- reason\n');
    expect(accepted(at('# moe-lab-disable no-│ -- as in the paper\n'), 'no-balance')).toBe(
      '# moe-lab-disable no-balance -- as in the paper\n',
    );
  });
});

it('a key before another one in brackets comes with the comma between them', () => {
  expect(parsed(accepted(at('model: { attention: { heads: 12, │ position: rope } }\n'), 'rope_share'))).toEqual({
    model: { attention: { heads: 12, rope_share: null, position: 'rope' } },
  });
  expect(parsed(accepted(at('model: {\n  layers: 2,\n  │\n  # wide\n  d_model: 64\n}\n'), 'context'))).toEqual({
    model: { layers: 2, context: null, d_model: 64 },
  });
  expect(accepted(at('model: { layers: 2, │ }\n'), 'context')).toBe('model: { layers: 2, context:  }\n');
  expect(accepted(at('model: { │, layers: 2 }\n'), 'context')).toBe('model: { context: , layers: 2 }\n');
});

describe('sweeps', () => {
  it('offer dotted keys, and the values that a key may have', () => {
    expect(labels('sweep:\n  │\n')).toContain('model.moe.top_k');
    expect(labels('sweep:\n  │\n')).not.toContain('parity');
    expect(labels('sweep:\n  - │\n')).toContain('model.moe.top_k');
    expect(labels('sweep:\n  - model.moe.top_k: 2\n    │\n')).not.toContain('model.moe.top_k');
    expect(labels('sweep:\n  model.moe.kind: [│]\n')).toEqual(['smoe', 'mh-moe']);
    expect(labels('sweep:\n  - { model.moe.kind: │ }\n')).toEqual(['smoe', 'mh-moe']);
    expect(parsed(accepted(at('sweep:\n  top│\n'), 'model.moe.top_k'))).toEqual({ sweep: { 'model.moe.top_k': [] } });
  });
});

describe('beside the YAML extension', () => {
  it('only what its schema cannot know is offered', () => {
    expect(labels('model:\n  │\n', 'yaml')).toEqual([]);
    expect(labels('model:\n  moe:\n    kind: │\n', 'yaml')).toEqual([]);
    expect(labels('lint: { ample-capacity: │ }\n', 'yaml')).toEqual([]);
    expect(labels('extends: │\n', 'yaml')).toEqual(['base.moe.yaml', 'corpus/']);
    expect(labels('lint:\n  │\n', 'yaml')).toEqual([]);
    expect(labels('# moe-lab-disable │\n', 'yaml')).toContain('ample-capacity');
    expect(labels('sweep:\n  model.moe.kind: [│]\n', 'yaml')).toEqual(['smoe', 'mh-moe']);
    expect(new Set(at('│', 'yaml').completions.map(({ kind }) => kind))).toEqual(new Set(['preset']));
  });
});
