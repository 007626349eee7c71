import { basename, relative, resolve } from 'node:path';
import { Document } from 'yaml';
import { isMapping } from '../config/mapping';
import type { Experiment } from '../config/schema';
import { dirname } from 'node:path';
import { posix } from './twinConfig';
import { comment } from './twinText';

/** A config that says of another one only what was changed. */
export interface VariantRequest {
  /** Absolute path of the config that it extends, and what that is. */
  readonly base: string;
  readonly original: Experiment;
  /** What it is to be. */
  readonly changed: Experiment;
  readonly name: string;
  /** Absolute path of its own, and of its baseline. */
  readonly file: string;
  readonly parity?: string;
  /** Sentences before it. */
  readonly heading: readonly string[];
}

/** The text of that config. */
export function variantText({ base, original, changed, name, file, parity, heading }: VariantRequest): string {
  const folder = dirname(file);
  const path = (to: string): string => posix(relative(folder, to)) || basename(to);
  const document = new Document({
    extends: path(base),
    name,
    // A baseline's own baseline would be one of another size.
    ...(parity === undefined ? (original.parity === undefined ? {} : { parity: null }) : { parity: path(resolve(parity)) }),
    ...withoutNames(difference(original, changed)),
  });
  const body = document.toString({ lineWidth: 0, nullStr: '' }).replace(/: $/gm, ':');
  return `${heading.map(comment).join('\n')}\n${body}`;
}

function withoutNames(values: unknown): Readonly<Record<string, unknown>> {
  return isMapping(values)
    ? Object.fromEntries(Object.entries(values).filter(([key]) => !['name', 'parity', 'extends'].includes(key)))
    : {};
}

/** The values of `changed` that are not those of `original`; undefined where all are. */
function difference(original: unknown, changed: unknown): unknown {
  if (!isMapping(changed) || !isMapping(original)) return JSON.stringify(original) === JSON.stringify(changed) ? undefined : changed;
  const entries = Object.entries(changed).flatMap(([key, value]): [string, unknown][] => {
    const differing = difference(original[key], value);
    return differing === undefined ? [] : [[key, differing]];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}
