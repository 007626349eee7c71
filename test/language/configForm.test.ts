import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { applyEdits, editsFor } from '../../src/config/edit/keyEdits';
import { experimentJsonSchema, type JsonSchema } from '../../src/config/jsonSchema';
import { loadConfig } from '../../src/config/loadConfig';
import { brokenAt, configForm, keyOfFinding, type ConfigForm, type FormField } from '../../src/language/configForm';
import { formEdit, type FormAction } from '../../src/language/formEdits';

const base = `name: Base
model:
  d_model: 64
  layers: 4
  context: 32
  attention: { heads: 4 }
  ffn: { width: 128 }
  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: 128 }
train: { steps: 10, batch_tokens: 256, betas: [0.9, 0.98] }
`;

const variant = `extends: base.moe.yaml
model:
  d_model: 96 # wider
  moe: { heads: 2, kind: mh-moe, layers: [1, 3] }
data:
  train: [a.txt, "b c.txt"]
  validation:
    prose: [v.txt]
`;

const file = resolve('/configs/variant.moe.yaml');
const read =
  (texts: Readonly<Record<string, string>>) =>
  (path: string): string | undefined =>
    texts[path];

function readText(text: string): (path: string) => string | undefined {
  return read({ [file]: text, [resolve('/configs/base.moe.yaml')]: base });
}

function formOf(text: string): ConfigForm {
  const form = configForm(file, text, readText(text));
  if (form === undefined) throw new Error('The text is broken.');
  return form;
}

function field(form: ConfigForm, path: string): FormField {
  const found = form.sections.flatMap(({ fields }) => fields).find((one) => one.path.join('.') === path);
  if (found === undefined) throw new Error(`There is no field ${path}.`);
  return found;
}

/** All keys of the schema that hold no mapping of keys, dotted. */
function leaves(schema: JsonSchema, path: readonly string[] = []): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, property]) =>
    property.properties ? leaves(property, [...path, key]) : [[...path, key].join('.')],
  );
}

describe('the form of a config', () => {
  it('has every key of the schema once, where no section is left out', () => {
    const text = `${base}data: { train: [a.txt] }\n`
      .replace('attention: { heads: 4 }', 'attention: { heads: 4, moe: { experts: 2, top_k: 1 } }')
      .replace('  ffn:', '  product_keys: { experts: 4, heads: 1, top_k: 1 }\n  bitnet: {}\n  ffn:');
    const form = formOf(text);
    expect(form.sections.flatMap(({ fields }) => fields.map(({ path }) => path.join('.'))).toSorted()).toEqual(
      leaves(experimentJsonSchema()).toSorted(),
    );
  });

  it('says who says a value: the file, the file over its base, the base, the default, nobody', () => {
    const form = formOf(variant);
    expect(field(form, 'model.d_model')).toMatchObject({ value: '96', origin: { kind: 'stated', over: 'base.moe.yaml' } });
    expect(field(form, 'model.moe.heads')).toMatchObject({ value: '2', origin: { kind: 'stated', over: null } });
    expect(field(form, 'model.layers')).toMatchObject({ value: '4', origin: { kind: 'inherited', from: 'base.moe.yaml' } });
    expect(field(form, 'model.vocabulary')).toMatchObject({ value: '256', origin: { kind: 'default' } });
    expect(field(form, 'model.moe.router.k_max')).toMatchObject({ value: '', origin: { kind: 'none' } });
    // What the base calls itself is its own affair.
    expect(field(form, 'name')).toMatchObject({ value: '', origin: { kind: 'none' } });
  });

  it('edits each kind of value as people write it', () => {
    const form = formOf(variant);
    expect(field(form, 'model.moe.layers')).toMatchObject({ kind: 'numbers', value: '1, 3' });
    expect(field(form, 'train.betas')).toMatchObject({ kind: 'numbers', value: '0.9, 0.98' });
    expect(field(form, 'data.train')).toMatchObject({ kind: 'lines', value: 'a.txt\nb c.txt' });
    expect(field(form, 'data.validation')).toMatchObject({ kind: 'yaml', value: 'prose:\n  - v.txt' });
    expect(field(form, 'model.tie_embeddings')).toMatchObject({ kind: 'boolean', value: 'true' });
    expect(field(form, 'model.moe.kind')).toMatchObject({ kind: 'choice', choices: ['smoe', 'mh-moe'], value: 'mh-moe' });
    expect(field(form, 'train.learning_rate')).toMatchObject({ kind: 'number', value: '0.001' });
  });

  it('leaves out what is in a section that is not there, and says so', () => {
    const form = formOf(variant);
    const section = (path: string) => form.sections.find((one) => one.path.join('.') === path);
    expect(section('model.bitnet')).toMatchObject({ optional: true, present: false, fields: [] });
    expect(section('model.moe')).toMatchObject({ optional: true, present: true });
    expect(section('model.moe.router')).toMatchObject({ optional: false, present: true });
    expect(section('train')).toMatchObject({ optional: true, present: true, origin: { kind: 'inherited' } });
  });

  it('is none while the text is broken, or that of a base; the place is said', () => {
    const broken = variant.replace('[1, 3] }', '[1, 3');
    expect(configForm(file, broken, readText(broken))).toBeUndefined();
    expect(brokenAt(file, broken, readText(broken))).toMatchObject({ file, code: 'yaml-syntax' });
    const readBase = read({ [file]: variant, [resolve('/configs/base.moe.yaml')]: 'model: [' });
    expect(configForm(file, variant, readBase)).toBeUndefined();
    expect(brokenAt(file, variant, readBase)).toMatchObject({ file: resolve('/configs/base.moe.yaml') });
  });

  it('finds the field that a finding is about, in the file and in its base', () => {
    const text = variant
      .replace('heads: 2', 'heads: 5')
      .replace('d_model: 96', 'd_model: -1\n  hedas: 3')
      .replace('prose: [v.txt]', 'prose: [7]');
    const form = formOf(text);
    const { findings } = loadConfig(file, readText(text));
    const paths = Object.fromEntries(
      findings.map((finding) => [`${finding.code} ${finding.range.start.line + 1}`, keyOfFinding(form, finding)]),
    );
    expect(paths).toEqual({
      'invalid-value 3': ['model', 'd_model'],
      'unknown-key 4': undefined,
      'invalid-value 9': ['data', 'validation'],
    });
    const inBase = { file: resolve('/configs/base.moe.yaml'), range: { start: { line: 3, character: 2 }, end: { line: 3, character: 8 } } };
    expect(keyOfFinding(form, inBase)).toEqual(['model', 'layers']);
  });
});

describe('what the form does to the text', () => {
  const after = (text: string, action: FormAction): string => {
    const { experiment } = loadConfig(file, readText(text));
    const edit = formEdit(formOf(text), action, experiment);
    if ('problem' in edit) return edit.problem;
    const edits = editsFor(text, edit.changes);
    return edits === undefined ? 'not safely' : applyEdits(text, edits);
  };
  const set = (path: string, value: string): FormAction => ({ kind: 'set', path: path.split('.'), text: value });

  it('replaces a scalar and leaves comments', () => {
    expect(after(variant, set('model.d_model', '128'))).toBe(variant.replace('96 # wider', '128 # wider'));
    expect(after(variant, set('model.d_model', '2,048'))).toBe(variant.replace('96', '2048'));
  });

  it('states a key that was inherited', () => {
    const text = after(variant, set('model.layers', '6'));
    expect(loadConfig(file, readText(text)).experiment?.model.layers).toBe(6);
    expect(text.split('\n')).toHaveLength(variant.split('\n').length + 1);
  });

  it('gives each kind its own value', () => {
    const value = (action: FormAction, of: (experiment: NonNullable<ReturnType<typeof loadConfig>['experiment']>) => unknown) => {
      const { experiment } = loadConfig(file, readText(after(variant, action)));
      return experiment && of(experiment);
    };
    expect(value(set('train.learning_rate', '6e-4'), ({ train }) => train?.learning_rate)).toBe(0.0006);
    expect(value(set('model.tie_embeddings', 'false'), ({ model }) => model.tie_embeddings)).toBe(false);
    expect(value(set('model.moe.layers', '0, 2'), ({ model }) => model.moe?.layers)).toEqual([0, 2]);
    expect(value(set('data.train', 'x.txt\n\n y.txt '), ({ data }) => data?.train)).toEqual(['x.txt', 'y.txt']);
    expect(value(set('data.validation', 'code: [c.txt]'), ({ data }) => data?.validation)).toEqual({ code: ['c.txt'] });
    expect(value(set('model.norm', 'layer'), ({ model }) => model.norm)).toBe('layer');
    expect(value(set('name', 'true'), ({ name }) => name)).toBe('true');
  });

  it('keeps numbers among words numbers', () => {
    const text = `${base}`.replace('  ffn:', '  bitnet: { activation_bits: none }\n  ffn:');
    const own = text.replace('name: Base\n', '');
    const form = configForm(file, own, read({ [file]: own }));
    if (form === undefined) throw new Error('unreachable');
    expect(formEdit(form, set('model.bitnet.activation_bits', '8'), undefined)).toEqual({
      changes: [{ kind: 'set', path: ['model', 'bitnet', 'activation_bits'], value: 8 }],
    });
  });

  it('takes a stated key away, so that the base or the default holds', () => {
    const text = after(variant, { kind: 'reset', path: ['model', 'd_model'] });
    expect(loadConfig(file, readText(text)).experiment?.model.d_model).toBe(64);
    expect(after(variant, set('model.d_model', ''))).toBe(text);
  });

  it('takes away a section that only a base states, and lets it hold again', () => {
    const inheriting = variant.replace(/ {2}moe: .*\n/, '');
    // Whether the file says something of it, too, or only its base.
    for (const text of [inheriting, variant]) {
      expect(loadConfig(file, readText(text)).experiment?.model.moe).toBeDefined();
      const taken = after(text, { kind: 'removeSection', path: ['model', 'moe'] });
      expect(taken).toBe(inheriting.replace('data:', '  moe:\ndata:'));
      expect(loadConfig(file, readText(taken)).experiment?.model.moe).toBeUndefined();
      const section = formOf(taken).sections.find(({ path }) => path.join('.') === 'model.moe');
      expect(section).toMatchObject({ present: false, origin: { kind: 'stated', over: 'base.moe.yaml' } });
      expect(after(taken, { kind: 'addSection', path: ['model', 'moe'] })).toBe(inheriting);
      expect(after(taken, { kind: 'removeSection', path: ['model', 'moe'] })).toBe(taken);
    }
    // What only the file itself states goes as if it had never been there.
    const own = after(variant, { kind: 'addSection', path: ['model', 'bitnet'] });
    expect(own).not.toBe(variant);
    expect(after(own, { kind: 'removeSection', path: ['model', 'bitnet'] })).toBe(variant);
    expect(after(variant, { kind: 'removeSection', path: ['model', 'attention'] })).toBe('model.attention cannot be left out.');
  });

  it('refuses what cannot be meant, and says what must be', () => {
    expect(after(variant, set('model.d_model', 'wide'))).toMatch(/^It must be a whole number of at least 1/);
    expect(after(variant, set('model.d_model', '96.5'))).toMatch(/^It must be a whole number/);
    expect(after(variant, set('data.validation', '{ a: ['))).toMatch(/^It must be/);
    expect(after(variant, { kind: 'reset', path: ['data', 'train'] })).toMatch(/^It is required/);
    expect(after(variant, set('model.nothing', '1'))).toBe('There is no field model.nothing.');
  });

  it('changes nothing where nothing changes', () => {
    for (const action of [
      set('model.d_model', '96'),
      set('model.vocabulary', '256'),
      { kind: 'reset', path: ['model', 'layers'] } as const,
      { kind: 'addSection', path: ['model', 'moe'] } as const,
    ]) {
      expect(formEdit(formOf(variant), action, undefined)).toEqual({ changes: [] });
    }
  });

  it('has a beginning for every section that may be left out, taken away or never there', () => {
    const optional = formOf(variant).sections.filter((section) => section.optional);
    expect(optional.map(({ path }) => path.join('.'))).toContain('model.bitnet');
    for (const { path, present } of optional) {
      const without = present ? after(variant, { kind: 'removeSection', path }) : variant;
      expect(formOf(without).sections.find((one) => one.path.join('.') === path.join('.'))?.present, path.join('.')).toBe(false);
      const added = after(without, { kind: 'addSection', path });
      expect(formOf(added).sections.find((one) => one.path.join('.') === path.join('.'))?.present, added).toBe(true);
    }
  });

  it.each(['model.bitnet', 'model.attention.moe', 'model.product_keys', 'model.moe', 'train', 'data'])(
    'adds the section %s such that the config has no errors',
    (section) => {
      const text = 'model:\n  d_model: 64\n  layers: 4\n  context: 32\n  attention: { heads: 4 }\n  ffn: { width: 128 }\n';
      const { experiment } = loadConfig(file, read({ [file]: text }));
      const form = configForm(file, text, read({ [file]: text }));
      const edit = form && formEdit(form, { kind: 'addSection', path: section.split('.') }, experiment);
      const edits = edit && 'changes' in edit ? editsFor(text, edit.changes) : undefined;
      const added = applyEdits(text, edits ?? []);
      const after = configForm(file, added, read({ [file]: added }));
      expect(after?.sections.find(({ path }) => path.join('.') === section)?.present).toBe(true);
      expect(loadConfig(file, read({ [file]: added })).findings.filter(({ severity }) => severity === 'error')).toEqual([]);
    },
  );
});
