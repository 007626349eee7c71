import { parse } from 'yaml';
import { dotted } from '../config/describeKey';
import { isMapping } from '../config/mapping';
import type { ConfigValue, KeyChange } from '../config/remedy';
import type { Experiment } from '../config/schema';
import type { ConfigForm, FormField } from './configForm';

/** What somebody does in the form. */
export type FormAction =
  /** `text` as fields are edited: an empty one takes the value away. */
  | { readonly kind: 'set'; readonly path: readonly string[]; readonly text: string }
  /** What a base says holds again, or the default. */
  | { readonly kind: 'reset'; readonly path: readonly string[] }
  | { readonly kind: 'addSection'; readonly path: readonly string[] }
  /** Also what a base says of it. */
  | { readonly kind: 'removeSection'; readonly path: readonly string[] };

/** The changes of keys that an action asks for, none where it changes nothing; or why it cannot be done, as a sentence. */
export type FormEdit = { readonly changes: readonly KeyChange[] } | { readonly problem: string };

export function formEdit(form: ConfigForm, action: FormAction, experiment: Experiment | undefined): FormEdit {
  switch (action.kind) {
    case 'set':
      return set(form, action.path, action.text);
    case 'reset':
      return reset(form, action.path);
    case 'addSection':
      return addSection(form, action.path, experiment);
    case 'removeSection':
      return removeSection(form, action.path);
  }
}

const nothing: FormEdit = { changes: [] };

function set(form: ConfigForm, path: readonly string[], text: string): FormEdit {
  const field = fieldAt(form, path);
  if (field === undefined) return { problem: `There is no field ${dotted(path)}.` };
  if (text === field.value) return nothing;
  if (text.trim() === '') return reset(form, path);
  const value = parsed(field, text);
  if (value === undefined) return { problem: `It must be ${field.expects}.` };
  return { changes: [{ kind: 'set', path, value }] };
}

function reset(form: ConfigForm, path: readonly string[]): FormEdit {
  const field = fieldAt(form, path);
  const { origin } = field ?? form.sections.find((section) => dotted(section.path) === dotted(path)) ?? {};
  if (origin?.kind !== 'stated') return nothing;
  if (field?.required === true && origin.over === null) return { problem: `It is required; it must be ${field.expects}.` };
  return { changes: [{ kind: 'remove', path }] };
}

function addSection(form: ConfigForm, path: readonly string[], experiment: Experiment | undefined): FormEdit {
  const section = form.sections.find((one) => dotted(one.path) === dotted(path));
  const value = starters[dotted(path)]?.(experiment);
  if (section === undefined || value === undefined) return { problem: `There is no section ${dotted(path)} to add.` };
  if (section.present) return nothing;
  // What a base says was taken away here, and holds again.
  const { origin } = section;
  if (origin.kind === 'stated' && origin.over !== null) return { changes: [{ kind: 'remove', path }] };
  return { changes: [{ kind: 'set', path, value }] };
}

function removeSection(form: ConfigForm, path: readonly string[]): FormEdit {
  const section = form.sections.find((one) => dotted(one.path) === dotted(path));
  if (section?.optional !== true) return { problem: `${dotted(path)} cannot be left out.` };
  const { origin, present } = section;
  if (!present) return nothing;
  const isOfBase = origin.kind === 'inherited' || (origin.kind === 'stated' && origin.over !== null);
  return { changes: [{ kind: isOfBase ? 'empty' : 'remove', path }] };
}

/** Sections that may be left out, as they begin: what is required in them, with values that go with the model that there is. */
const starters: Readonly<Record<string, (experiment: Experiment | undefined) => ConfigValue>> = {
  'model.moe': (experiment) => ({ kind: 'smoe', experts: 8, top_k: 1, expert_width: experiment?.model.ffn.width ?? 1024 }),
  'model.attention.moe': () => ({ experts: 4, top_k: 2 }),
  'model.product_keys': () => ({ experts: 4096, heads: 4, top_k: 8 }),
  'model.bitnet': () => ({ weights: 'ternary' }),
  train: (experiment) => ({ steps: 1000, batch_tokens: 8 * (experiment?.model.context ?? 128) }),
  data: () => ({ train: ['corpus/train/*.txt'] }),
};

function fieldAt(form: ConfigForm, path: readonly string[]): FormField | undefined {
  return form.sections.flatMap(({ fields }) => fields).find((field) => dotted(field.path) === dotted(path));
}

/** A field's text as the value that it means; undefined where it is no value of the field's kind. */
function parsed({ kind, choices }: FormField, text: string): ConfigValue | undefined {
  const trimmed = text.trim();
  switch (kind) {
    case 'whole':
    case 'number':
      return numberOf(trimmed, kind === 'whole');
    case 'text':
      return trimmed;
    case 'boolean':
      return trimmed === 'true' ? true : trimmed === 'false' ? false : undefined;
    case 'choice':
      // Of words and numbers: `activation_bits` is 8 or none.
      return choices.includes(trimmed) ? (numberOf(trimmed, false) ?? trimmed) : undefined;
    case 'choices': {
      const chosen = pieces(trimmed, /[\s,]+/);
      return chosen.every((one) => choices.includes(one)) ? chosen : undefined;
    }
    case 'numbers': {
      const numbers = pieces(trimmed, /[\s,]+/).map((piece) => numberOf(piece, false));
      return numbers.every((one) => one !== undefined) ? numbers : undefined;
    }
    case 'lines':
      return pieces(text, /\r?\n/);
    case 'yaml':
      return yamlValue(text);
  }
}

function pieces(text: string, between: RegExp): string[] {
  return text
    .split(between)
    .map((piece) => piece.trim())
    .filter((piece) => piece !== '');
}

/** `2048`, `2,048`, `6e-4`. */
function numberOf(text: string, whole: boolean): number | undefined {
  const digits = /^[+-]?\d{1,3}(,\d{3})+$/.test(text) ? text.replaceAll(',', '') : text;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(digits)) return undefined;
  const value = Number(digits);
  return Number.isFinite(value) && (!whole || Number.isInteger(value)) ? value : undefined;
}

function yamlValue(text: string): ConfigValue | undefined {
  try {
    const value: unknown = parse(text);
    return isConfigValue(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isConfigValue(value: unknown): value is ConfigValue {
  if (Array.isArray(value)) return value.every(isConfigValue);
  if (isMapping(value)) return Object.values(value).every(isConfigValue);
  return typeof value === 'string' || typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value));
}
