import { isMap, isScalar, parseDocument } from 'yaml';
import type { Node } from 'yaml';
import type { TextEdit } from '../configFile';
import type { ConfigValue, KeyChange } from '../remedy';
import type { KeyPath } from '../yamlTree';
import { textEdits } from './offsets';
import type { OffsetEdit } from './offsets';

export { applyEdits } from './offsets';

/** Minimal edits that make the changes; undefined where that cannot be done safely. */
export function editsFor(text: string, changes: readonly KeyChange[]): readonly TextEdit[] | undefined {
  const document = parseDocument(text, { prettyErrors: false, logLevel: 'error' });
  if (document.errors.length > 0) return undefined;
  const edits: OffsetEdit[] = [];
  for (const change of changes) {
    const node = change.kind === 'set' ? nodeAt(document.contents, change.path) : undefined;
    if (change.kind !== 'set' || !isScalar(node) || !node.range || node.anchor !== undefined || node.value === null) return undefined;
    edits.push({ start: node.range[0], end: node.range[1], newText: written(change.value) });
  }
  return textEdits(text, edits);
}

function nodeAt(node: Node | null | undefined, [key, ...rest]: KeyPath): unknown {
  if (key === undefined) return node;
  if (!isMap(node)) return undefined;
  const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
  return nodeAt(pair?.value as Node | undefined, rest);
}

function written(value: ConfigValue): string {
  return JSON.stringify(value);
}
