import { isAlias } from 'yaml';
import type { TextEdit } from '../configFile';
import { valueAt } from '../keyValues';
import type { ConfigValue, KeyChange } from '../remedy';
import { parseYaml } from '../yamlTree';
import type { ParsedYaml } from '../yamlTree';
import { changedValue, sameValue } from './changedValue';
import { EditedText } from './editedText';
import { copyEntry, renameKey } from './moveEntry';
import { find, sourceOf } from './nodes';
import type { Source } from './nodes';
import { applyOffsetEdits, offsetEdits, textEdits } from './offsets';
import type { OffsetEdit } from './offsets';
import { removeEntry } from './removeEntry';
import { emptyValue, isInOnePiece, leafChanges, setValue } from './setValue';

/**
 * The smallest edits of a text that make the changes: what they do not name stays as it is written, comments and order included. Undefined
 * where that cannot be done safely: the text is no YAML, a value is shared by an alias, something else stands where a section should be.
 * Whatever the text, the edits have been tried: the text after them says what the text before said, with these changes and no others.
 */
export function editsFor(text: string, changes: readonly KeyChange[]): readonly TextEdit[] | undefined {
  const before = parsed(text);
  if (!isSound(before)) return undefined;
  const wanted = changedValue(before.tree.value, changes);
  if (wanted === undefined) return undefined;
  if (sameValue(wanted, before.tree.value ?? {})) return [];
  const edited = new EditedText(text);
  let current = before;
  /** Edits of the text as `current` has it. */
  let pending: readonly OffsetEdit[] = [];
  const apply = (edits: readonly OffsetEdit[]): void => {
    edited.apply(edits);
    pending = [];
    current = parseYaml(edited.text);
  };
  const waiting = [...changes];
  for (let change = waiting.shift(); change; change = waiting.shift()) {
    const inPlace = replacement(sourceOf(edited.text, current.document), change, pending);
    if (inPlace) {
      pending = [...pending, ...inPlace];
      continue;
    }
    if (pending.length > 0) apply(pending);
    const parts = change.kind === 'set' ? leafChanges(change.path, valueAt(current.tree.value, change.path), change.value) : [change];
    if (parts.length !== 1 || parts[0]?.path.length !== change.path.length) {
      waiting.unshift(...parts);
      continue;
    }
    for (const step of steps(change)) {
      if (!isSound(current)) return undefined;
      const edits = step(sourceOf(edited.text, current.document), current.tree.value);
      if (!edits) return undefined;
      if (edits.length > 0) apply(edits);
    }
  }
  if (pending.length > 0) apply(pending);
  const says = isSound(current) && problems(current) <= problems(before) && sameValue(current.tree.value ?? {}, wanted);
  return says ? textEdits(text, edited.edits()) : undefined;
}

/** The text after edits of it, none of which may overlap another. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  return applyOffsetEdits(text, offsetEdits(text, edits));
}

let last: { readonly text: string; readonly yaml: ParsedYaml } | undefined;

/** Fixes of one text are asked for one after the other: it is taken apart once. */
function parsed(text: string): ParsedYaml {
  if (last?.text !== text) last = { text, yaml: parseYaml(text) };
  return last.yaml;
}

/** A key that is there twice does not keep others from being edited. */
function isSound({ tree }: ParsedYaml): boolean {
  return tree.problems.every((problem) => problem.severity !== 'error' || problem.code === 'duplicate-key');
}

/** Of a sound text: repeated keys, and tags that do not suit their values. */
function problems({ tree }: ParsedYaml): number {
  return tree.problems.length;
}

/** Of a value that moves nothing else, so that the text needs not be taken apart again for the next. */
function replacement(source: Source, change: KeyChange, pending: readonly OffsetEdit[]): readonly OffsetEdit[] | undefined {
  if (change.kind !== 'set') return undefined;
  const found = find(source, change.path);
  if (found.depth < change.path.length || !isInOnePiece(found.node, change.value)) return undefined;
  const edits = setValue(source, change.path, change.value);
  return edits?.some((edit) => pending.some((other) => other.start < edit.end && edit.start < other.end)) ? undefined : edits;
}

type Step = (source: Source, value: unknown) => readonly OffsetEdit[] | undefined;

function steps(change: KeyChange): readonly Step[] {
  switch (change.kind) {
    case 'set':
      return [(source) => setValue(source, change.path, change.value)];
    case 'empty':
      return [(source) => emptyValue(source, change.path)];
    case 'remove':
      return [(source) => removal(source, change)];
    case 'move': {
      const { path, to } = change;
      const name = to.at(-1);
      if (isRename(change) && name !== undefined) return [(source) => renameKey(source, path, String(name))];
      let left: readonly string[] = [];
      return [
        (source, value) => {
          const copied = copyEntry(source, path, to, valueAt(value, path) as ConfigValue);
          left = copied?.left ?? [];
          return copied?.edits;
        },
        (source) => removeEntry(source, find(source, path), path, left),
      ];
    }
  }
}

/** What is not there is removed already. */
function removal(source: Source, { path }: KeyChange): readonly OffsetEdit[] | undefined {
  const found = find(source, path);
  if (found.depth === path.length) return removeEntry(source, found, path);
  return isAlias(found.node) ? undefined : [];
}

function isRename({ path, to }: Extract<KeyChange, { kind: 'move' }>): boolean {
  return path.length === to.length && path.slice(0, -1).every((key, index) => String(key) === String(to[index]));
}
