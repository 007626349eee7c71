import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { ConfigFinding, ReadText } from './configFile';
import { isMapping } from './mapping';
import { changing, removing, set } from './rules/remedies';
import { typicalValue } from './typicalValues';
import { parseYamlTree } from './yamlTree';
import type { YamlTree } from './yamlTree';

/** One file of the chain: the config itself first, then what it extends, and so on. */
export interface ChainLink {
  readonly file: string;
  readonly tree: YamlTree;
}

export interface ExtendsChain {
  readonly links: readonly ChainLink[];
  /** What is wrong with the texts and with the chain; with an error in it, `value` is undefined. */
  readonly findings: readonly ConfigFinding[];
  /** All files as one: the nearest that says something holds. */
  readonly value: unknown;
}

export function readExtendsChain(file: string, text: string, readText: ReadText): ExtendsChain {
  const links: ChainLink[] = [];
  const findings: ConfigFinding[] = [];
  let next: { file: string; text: string } | undefined = { file, text };
  while (next) {
    const link: ChainLink = { file: next.file, tree: parseYamlTree(next.text) };
    links.push(link);
    const own = [...link.tree.problems, ...rootProblems(link.tree)].map((problem) => ({ file: link.file, ...problem }));
    findings.push(...own);
    next = own.some((finding) => finding.code !== 'duplicate-key' && finding.severity === 'error')
      ? undefined
      : baseOf(link, links, readText, findings);
  }
  const broken = findings.some((finding) => finding.severity === 'error' && finding.code !== 'duplicate-key');
  return { links, findings, value: broken ? undefined : merged(links) };
}

const startOfText = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

function rootProblems(tree: YamlTree): Omit<ConfigFinding, 'file'>[] {
  if (tree.problems.some((problem) => problem.severity === 'error') || isMapping(tree.value)) return [];
  const empty = tree.value === null || tree.value === undefined;
  const message = empty
    ? 'This config is empty; start with `model:`, or with `extends:` and another config.'
    : 'A config is a mapping of keys to values; start with `model:`.';
  const model = typicalValue(['model'], undefined);
  const remedies = empty && model !== undefined ? [changing('Begin with a small dense model', set(['model'], model))] : [];
  return [{ range: startOfText, severity: 'error', code: empty ? 'empty-config' : 'invalid-value', message, remedies }];
}

function baseOf(
  link: ChainLink,
  links: readonly ChainLink[],
  readText: ReadText,
  findings: ConfigFinding[],
): { file: string; text: string } | undefined {
  const stated = isMapping(link.tree.value) ? link.tree.value['extends'] : undefined;
  // Anything but a text is for the schema to report.
  if (typeof stated !== 'string' || stated === '') return undefined;
  const file = resolve(dirname(link.file), stated);
  const report = (code: string, message: string): undefined => {
    const range = link.tree.statedAt(['extends'])?.key ?? startOfText;
    findings.push({ file: link.file, range, severity: 'error', code, message, remedies: [removing(['extends'])] });
  };
  const at = links.findIndex((other) => other.file === file);
  if (at >= 0) {
    const circle = [...links.slice(at).map((other) => other.file), file].map((member) => relative(dirname(link.file), member));
    return report('extends-cycle', `\`extends\` goes round in a circle, ${circle.join(' -> ')}; one of these must stand alone.`);
  }
  const text = readText(file);
  if (text === undefined)
    return report('extends-missing', `There is no readable file ${stated} (looked for ${file}); correct the path or create it.`);
  return { file, text };
}

function merged(links: readonly ChainLink[]): unknown {
  const top = links[0];
  return links.reduceRight<unknown>((base, link) => {
    const value = link === top || !top ? link.tree.value : rebased(inheritable(link.tree.value), dirname(link.file), dirname(top.file));
    return base === undefined ? value : deepMerged(base, value);
  }, undefined);
}

/** Mappings are merged key by key; anything else is replaced as a whole, lists included. */
export function deepMerged(base: unknown, variant: unknown): unknown {
  if (!isMapping(base) || !isMapping(variant)) return variant;
  const own = Object.entries(variant).map(([key, value]): [string, unknown] => [
    key,
    Object.hasOwn(base, key) ? deepMerged(base[key], value) : value,
  ]);
  return Object.fromEntries([...Object.entries(base), ...own]);
}

/** A base's own name would make two runs look the same; where it extends from and what it sweeps are its own affair. */
function inheritable(value: unknown): unknown {
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'name' && key !== 'extends' && key !== 'sweep'));
}

/** Paths are relative to the file that states them; here they become relative to the file that inherits them. */
function rebased(value: unknown, from: string, to: string): unknown {
  if (from === to || !isMapping(value)) return value;
  const rebase = (path: unknown): unknown => {
    if (Array.isArray(path)) return path.map(rebase);
    if (typeof path !== 'string' || path === '' || isAbsolute(path)) return path;
    return join(relative(to, from), path).replaceAll('\\', '/');
  };
  const over = (part: unknown, change: (entry: unknown, key: string) => unknown): unknown =>
    isMapping(part) ? Object.fromEntries(Object.entries(part).map(([key, entry]) => [key, change(entry, key)])) : part;
  return over(value, (part, key) => {
    if (key === 'parity') return rebase(part);
    if (key !== 'data') return part;
    return over(part, (files, name) => (name === 'train' ? rebase(files) : name === 'validation' ? over(files, rebase) : files));
  });
}
