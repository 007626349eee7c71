import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { applyEdits, editsFor } from '../../src/config/edit/keyEdits';
import { presets } from '../../src/config/presets/catalogue';
import { presetText } from '../../src/config/presets/presetText';
import { configForm, type ConfigForm, type FormField } from '../../src/language/configForm';
import { formEdit } from '../../src/language/formEdits';
import { dice, type Dice } from './mutations';

const file = resolve('/configs/edited.moe.yaml');
const base = resolve('/configs/base.moe.yaml');

/** Another text for a field, as somebody would enter it, valid or beyond its bounds. */
function another({ kind, choices, value }: FormField, random: Dice): string {
  switch (kind) {
    case 'whole':
      return String(random.below(4096));
    case 'number':
      return random.oneOf(['0.25', '1e-5', '3', '0.0006', '-1']);
    case 'boolean':
      return value === 'true' ? 'false' : 'true';
    case 'choice':
      return random.oneOf(choices);
    case 'choices':
      return choices.filter(() => random.chance(0.5)).join(', ') || (choices[0] ?? '');
    case 'numbers':
      return random.oneOf(['0, 1', '2', '0.5, 0.75, 0.875']);
    case 'lines':
      return random.oneOf(['a.txt', 'a b.txt\nc: d.txt', '# e.txt\n*f.txt\n[g]', 'null\n7\ntrue']);
    case 'text':
      return random.oneOf(['plain', 'with: colon', '# no comment', '"quoted"', "it's", '7', 'null', '- dash', 'ünïcode 🙂', '{ a', '@x']);
    case 'yaml':
      return random.oneOf(['a: [b.txt]', '{ prose: [x.txt, y.txt] }']);
  }
}

const layouts: Readonly<Record<string, (text: string) => readonly [own: string, base: string]>> = {
  alone: (text) => [text, ''],
  'over a base': (text) => ['extends: base.moe.yaml\n', text],
  'with CRLF': (text) => [text.replaceAll('\n', '\r\n'), ''],
  'in brackets': () => [
    '{ model: { d_model: 64, layers: 2, context: 8, attention: { heads: 2 }, ffn: { width: 8 }, moe: { kind: smoe, experts: 4, top_k: 1, expert_width: 8 } } }\n',
    '',
  ],
};

it.each(Object.keys(layouts))('what is entered into any field is what the form then shows, and the only change: %s', (name) => {
  const random = dice(5);
  for (let round = 0; round < 60; round++) {
    const [own, ofBase] = layouts[name]?.(presetText(random.oneOf(presets))) ?? ['', ''];
    const form = formOf(own, ofBase);
    const field = random.oneOf(form.sections.flatMap(({ fields }) => fields).filter(({ path }) => path[0] !== 'extends'));
    const text = another(field, random);
    const edit = formEdit(form, { kind: 'set', path: field.path, text }, undefined);
    if ('problem' in edit) throw new Error(`${field.path.join('.')}: ${edit.problem}`);
    const edits = editsFor(own, edit.changes);
    expect(edits, `${field.path.join('.')} to ${text} in\n${own}`).toBeDefined();
    const after = formOf(applyEdits(own, edits ?? []), ofBase);
    const before = valuesOf(form);
    const now = valuesOf(after);
    const changed = [...now].filter(([path, value]) => before.get(path) !== value).map(([path]) => path);
    expect(changed.filter((path) => path !== field.path.join('.'))).toEqual([]);
    const shown = now.get(field.path.join('.'));
    if (field.kind === 'yaml') expect(shown).not.toBe('');
    else if (field.kind === 'number') expect(Number(shown)).toBe(Number(text));
    else expect(shown).toBe(text);
  }
});

function formOf(own: string, ofBase: string): ConfigForm {
  const form = configForm(file, own, (path) => (path === file ? own : path === base && ofBase !== '' ? ofBase : undefined));
  if (form === undefined) throw new Error(`This is no form:\n${own}`);
  return form;
}

function valuesOf({ sections }: ConfigForm): ReadonlyMap<string, string> {
  return new Map(sections.flatMap(({ fields }) => fields.map(({ path, value }) => [path.join('.'), value] as const)));
}
