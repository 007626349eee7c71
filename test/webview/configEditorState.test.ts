import { describe, expect, it } from 'vitest';
import type { ConfigEditorUpdate, FieldView, FindingView, SectionView } from '../../src/extension/panels/configEditor-protocol';
import { findingsByPath, initialState, isFolded, isReadOnly, reduce, savedState, shownFields } from '../../webview/configEditor/state';

const field = (path: string, value: string, stated = true): FieldView => ({
  path: path.split('.'),
  kind: 'whole',
  description: `What ${path} is.`,
  expects: 'a whole number',
  choices: [],
  required: false,
  value,
  origin: stated ? { kind: 'stated', over: null } : { kind: 'default' },
});

const section = (path: string, ...fields: FieldView[]): SectionView => ({
  path: path.split('.'),
  description: '',
  optional: false,
  present: true,
  origin: { kind: 'default' },
  fields,
});

const finding = (path: string | null, severity: FindingView['severity'] = 'warning'): FindingView => ({
  severity,
  code: 'some-rule',
  message: 'Something.',
  path: path?.split('.') ?? null,
  file: null,
  line: 1,
  fixes: [],
});

const moe = section('model.moe', field('model.moe.heads', '2'), field('model.moe.every', '2', false));

const update = (version: number, more: Partial<ConfigEditorUpdate> = {}): ConfigEditorUpdate => ({
  type: 'update',
  version,
  name: 'edited',
  sections: [moe],
  broken: null,
  readOnly: false,
  findings: [],
  cost: null,
  parity: null,
  family: null,
  diagram: null,
  ...more,
});

const shown = (...messages: ConfigEditorUpdate[]) =>
  messages.reduce((state, message) => reduce(state, { type: 'message', message }), initialState(null));

describe('the state of a config editor', () => {
  it('keeps the last form while the text is broken, read-only', () => {
    const state = shown(update(1), update(2, { sections: null, broken: { message: 'A quote.', file: null, line: 3 } }));
    expect(state.sections).toEqual([moe]);
    expect(isReadOnly(state)).toBe(true);
    expect(isReadOnly(shown(update(1)))).toBe(false);
    expect(isReadOnly(shown(update(1, { readOnly: true })))).toBe(true);
    expect(isReadOnly(initialState(null))).toBe(true);
  });

  it('keeps a refusal while its field says what it said, and lets go of it then', () => {
    const refused = reduce(shown(update(1)), { type: 'refused', path: ['model', 'moe', 'heads'], reason: 'It must be.' });
    const other = reduce(refused, { type: 'message', message: update(2) });
    expect(other.refusals.get('model.moe.heads')).toBe('It must be.');
    const changed = update(3, { sections: [section('model.moe', field('model.moe.heads', '4'))] });
    expect(reduce(other, { type: 'message', message: changed }).refusals.size).toBe(0);
    expect(reduce(refused, { type: 'refused', path: ['model', 'moe', 'heads'], reason: null }).refusals.size).toBe(0);
  });

  it('forgets what the solver said about another text', () => {
    const solved = reduce(shown(update(1)), { type: 'choices', choices: [] });
    expect(reduce(solved, { type: 'message', message: update(1) }).choices).toEqual([]);
    expect(reduce(solved, { type: 'message', message: update(2) }).choices).toBeNull();
    expect(reduce(solved, { type: 'target', target: 'macs' }).choices).toBeNull();
  });

  it('shows findings at their fields, others at the whole, by the number that requests name them by', () => {
    const byPath = findingsByPath(shown(update(1, { findings: [finding('model.moe.heads'), finding(null), finding('model.gone.key')] })));
    expect(byPath.get('model.moe.heads')?.map(({ index }) => index)).toEqual([0]);
    expect(byPath.get(null)?.map(({ index }) => index)).toEqual([1, 2]);
  });

  it('unfolds what the file says something in, what is looked for, and what the user has unfolded', () => {
    const state = shown(update(1));
    const silent = section('engine', field('engine.threads', '0', false));
    const none = new Map<string | null, unknown>();
    expect([isFolded(state, moe, none), isFolded(state, silent, none)]).toEqual([false, true]);
    expect(isFolded(state, silent, new Map([['engine.threads', []]]))).toBe(false);
    const folded = reduce(state, { type: 'fold', section: 'model.moe', folded: true });
    expect(isFolded(folded, moe, none)).toBe(true);
    expect(isFolded(reduce(folded, { type: 'ui', ui: { filter: 'heads' } }), moe, none)).toBe(false);
  });

  it('finds keys by every word, in path and description', () => {
    const fields = (filter: string, statedOnly = false) =>
      shownFields(reduce(shown(update(1)), { type: 'ui', ui: { filter, statedOnly } }), moe, new Map()).map(({ path }) => path.at(-1));
    expect(fields('')).toEqual(['heads', 'every']);
    expect(fields('WHAT every')).toEqual(['every']);
    expect(fields('nothing')).toEqual([]);
    expect(fields('', true)).toEqual(['heads']);
  });

  it('saves the choices of the user and nothing of the config', () => {
    const state = reduce(shown(update(1)), { type: 'fold', section: 'model.moe', folded: true });
    expect(savedState(state)).toEqual({ schemaVersion: 1, folded: { 'model.moe': true }, filter: '', statedOnly: false });
    expect(initialState(savedState(state)).ui).toEqual(state.ui);
  });

  it('says that a change came too late, until something else is done', () => {
    const stale = reduce(shown(update(1)), { type: 'stale' });
    expect(stale.notice?.message).toMatch(/changed meanwhile/);
    expect(reduce(stale, { type: 'refused', path: ['model'], reason: null }).notice).toBeNull();
  });
});
