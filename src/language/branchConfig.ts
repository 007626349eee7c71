import { basename, dirname, isAbsolute, relative } from 'node:path';
import { Document } from 'yaml';
import type { Position, ReadText } from '../config/configFile';
import { dotted } from '../config/describeKey';
import { withValue } from '../config/keyValues';
import { loadConfig } from '../config/loadConfig';
import { isMapping } from '../config/mapping';
import type { Experiment } from '../config/schema';
import { parseYamlTree, type KeyPath } from '../config/yamlTree';
import type { FailureRemedy } from '../runs/failureRemedy';
import { valueText } from '../config/sweep';
import { keyDifferences, resolvedValue } from './resolvedConfig';

/** A run that went wrong, by its run.json. */
export interface BranchSubject {
  readonly id: string;
  readonly name: string;
  readonly experiment: Experiment;
  /** Absolute; it may have changed since, or be gone. */
  readonly configFile: string;
}

export interface Branch {
  readonly text: string;
  /** Where the value of the key stands that governs what went wrong. */
  readonly position: Position;
}

/** Beyond so many keys that a config has changed in since a run, the branch stands alone: nobody could read what it is. */
const mostOverrides = 16;

/**
 * The config of a new experiment, to be saved beside the run's: what the run trained, with the key changed that governs its failure. It
 * extends the run's config, and states besides what a sweep, the command line or later edits have made different. Undefined where the
 * change would not be valid.
 */
export function branchConfig(subject: BranchSubject, remedy: FailureRemedy, readText: ReadText): Branch | undefined {
  const changes = [{ path: remedy.path, to: remedy.to }, ...remedy.alongside];
  const wanted = withValues(resolvedValue(subject.experiment, dirname(subject.configFile)), changes);
  const heading = [
    `# Branch of ${oneLine(subject.name)} (${subject.id}).`,
    `# ${oneLine(remedy.reason)}`,
    ...changes.map(({ path, to }) => `# ${dotted(path)}: ${path === remedy.path ? `${was(remedy.from)} -> ` : ''}${valueText(to)}`),
  ].join('\n');
  for (const body of [variant(subject, remedy, wanted, readText), standalone(subject, remedy, wanted)]) {
    if (body === undefined) continue;
    const text = `${heading}\n${body}`;
    const file = `${subject.configFile}.branch.moe.yaml`;
    const { experiment } = loadConfig(file, (path) => (path === file ? text : readText(path)));
    // What is offered is what was trained, but for the change: anything else would be no comparison.
    if (experiment === undefined || keyDifferences(resolvedValue(experiment, dirname(file)), wanted).length > 0) continue;
    return { text, position: parseYamlTree(text).statedAt(remedy.path)?.value.start ?? { line: 0, character: 0 } };
  }
  return undefined;
}

type Values = readonly { readonly path: KeyPath; readonly to: unknown }[];

function variant({ name, configFile }: BranchSubject, remedy: FailureRemedy, wanted: unknown, readText: ReadText): string | undefined {
  const base = loadConfig(configFile, readText).experiment;
  if (base === undefined) return undefined;
  const differences = keyDifferences(resolvedValue(base, dirname(configFile)), wanted);
  if (differences.length > mostOverrides) return undefined;
  // A key that the base has and the run had not is taken away: stated without a value.
  const stated = differences.map(({ path, other }) => ({ path, to: other ?? null }));
  return yaml(withValues({ extends: basename(configFile), name: branchName(name, remedy) }, stated));
}

function standalone({ name, configFile }: BranchSubject, remedy: FailureRemedy, wanted: unknown): string {
  return yaml({ name: branchName(name, remedy), ...withRelativePaths(wanted, dirname(configFile)) });
}

function branchName(name: string, { path, to }: FailureRemedy): string {
  return `${name}, ${String(path.at(-1) ?? '')}=${valueText(to)}`;
}

function withValues(value: unknown, changes: Values): unknown {
  return changes.reduce((whole, { path, to }) => withValue(whole, path, to), isMapping(value) ? value : {});
}

/** As a person would write them; what lies elsewhere keeps its absolute path. */
function withRelativePaths(wanted: unknown, folder: string): object {
  const shorten = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shorten);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shorten(inner)]));
    if (typeof value !== 'string' || !isAbsolute(value)) return value;
    const near = relative(folder, value).replaceAll('\\', '/');
    return near === '' || isAbsolute(near) ? value : near;
  };
  const config: Readonly<Record<string, unknown>> = typeof wanted === 'object' && wanted !== null ? { ...wanted } : {};
  return 'data' in config ? { ...config, data: shorten(config['data']) } : config;
}

function yaml(value: unknown): string {
  return new Document(value).toString({ lineWidth: 0, nullStr: '' }).replace(/: $/gm, ':');
}

function was(value: unknown): string {
  return value === undefined ? 'not set' : valueText(value);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
