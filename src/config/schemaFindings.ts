import type { z } from 'zod';
import { describeKey, dotted } from './describeKey';
import { valueAt } from './keyValues';
import { atKey, atValue } from './pathFinding';
import { isMapping } from './mapping';
import type { PathFinding } from './pathFinding';
import { changing } from './rules/remedies';
import { remediesOfInvalid, remediesOfMissing } from './valueRemedies';
import type { KeyPath } from './yamlTree';

/** zod's issues in the words of someone who writes a config. `value` is what was validated; `meant` keys, if missing, are passed over. */
export function schemaFindings(error: z.ZodError, value: unknown, meant: readonly KeyPath[]): PathFinding[] {
  const passedOver = new Set(meant.map((path) => JSON.stringify(path)));
  const findings = new Map<string, PathFinding>();
  for (const issue of error.issues) {
    const path = issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key));
    // One finding a place: a list of three wrong entries that is also too long says so entry by entry.
    const key = JSON.stringify(path);
    if (findings.has(key)) continue;
    const finding = issue.code === 'invalid_key' ? emptyName(path, valueAt(value, path.slice(0, -1))) : schemaFinding(path, value);
    if (finding.code !== 'missing-key' || !passedOver.has(key)) findings.set(key, finding);
  }
  return [...findings.values()];
}

function schemaFinding(path: KeyPath, value: unknown): PathFinding {
  const found = valueAt(value, path);
  const mustBe = `it must be ${describeKey(path)?.type ?? 'something else'}`;
  if (found === undefined) {
    const what = path.length ? `\`${dotted(path)}\` is missing` : 'The config is missing';
    return {
      spots: ancestors(path).map((parent) => atKey(...parent)),
      severity: 'error',
      code: 'missing-key',
      message: `${what}; ${mustBe}.`,
      remedies: remediesOfMissing(path, value),
    };
  }
  const is = found === null ? 'is empty' : `is ${show(found)}`;
  const list = typeof path.at(-1) === 'number' ? valueAt(value, path.slice(0, -1)) : undefined;
  return {
    spots: [atValue(...path)],
    severity: 'error',
    code: 'invalid-value',
    message: `\`${dotted(path)}\` ${is}; ${mustBe}.`,
    remedies: remediesOfInvalid(path, found, value, Array.isArray(list) ? list : undefined),
  };
}

function emptyName(path: KeyPath, siblings: unknown): PathFinding {
  const taken = isMapping(siblings) ? Object.keys(siblings) : [];
  const name = ['text', 'other', 'unnamed'].find((candidate) => !taken.includes(candidate));
  const remedies = name === undefined ? [] : [changing(`Name it ${name}`, { kind: 'move', path, to: [...path.slice(0, -1), name] })];
  const message = `An entry of \`${dotted(path.slice(0, -1))}\` has no name; write one before its colon.`;
  return { spots: [atKey(...path)], severity: 'error', code: 'invalid-value', message, remedies };
}

/** `[a, b, c]` -> `[a, b]`, `[a]`. */
function ancestors(path: KeyPath): KeyPath[] {
  return path.map((_, depth) => path.slice(0, path.length - 1 - depth)).filter((parent) => parent.length > 0);
}

function show(value: unknown): string {
  if (typeof value === 'string')
    return value === '' ? 'an empty text' : `the text "${value.length > 40 ? `${value.slice(0, 40)}...` : value}"`;
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : `a list of ${value.length}`;
  return typeof value === 'object' ? 'a mapping' : String(value);
}
