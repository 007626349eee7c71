import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { Document, isMap } from 'yaml';
import type { LoadedConfig, ReadText } from '../config/configFile';
import { experimentName } from '../config/experimentName';
import { readExtendsChain } from '../config/extendsChain';
import { loadConfig } from '../config/loadConfig';
import { isMapping } from '../config/mapping';
import { choicesVary } from '../config/moeShape';
import type { Experiment, RouterConfig } from '../config/schema';
import { countModel, macsAtMeanK } from '../models/count';
import { buildLanguageModel } from '../models/languageModel';

/** What has no twin, with what the user can do. */
export class NoTwin extends Error {
  override readonly name = 'NoTwin';
  constructor(
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}

/** A model whose units take different numbers of experts, as it was trained or is to be. */
export interface TwinSubject {
  /** The config that says so; it need not be there any more, nor be as it was. */
  readonly configFile: string;
  readonly experiment: Experiment;
  /** The mean number of experts per unit, and where it was measured: `in the run X`; null where it is only meant, by `top_k`. */
  readonly mean: { readonly k: number; readonly measured: string | null };
}

export interface FixedKTwin {
  /** Experts of every unit: the nearest whole number to the mean. */
  readonly k: number;
  readonly macsPerToken: number;
  /** Of the model that it is the twin of, at its mean. */
  readonly macsAtMeanK: number;
  /** The twin's config, to be saved in `folder`. */
  readonly text: string;
  /** `0.031`: how much more a token costs. */
  readonly difference: number;
}

/** What the router of a model with a fixed k has no use for. */
const ofVaryingK = ['importance', 'k_min', 'k_max', 'budget', 'top_p', 'entropy_weight'] as const satisfies readonly (keyof RouterConfig)[];

/** The subject as a config states it: its mean is `top_k`, which is what counts assume. Throws NoTwin. */
export function configSubject({ file, experiment, findings }: LoadedConfig): TwinSubject {
  if (experiment === undefined) {
    const first = findings.find(({ severity }) => severity === 'error');
    throw new NoTwin(`${file} cannot be read: ${first?.message ?? 'it has errors'}`, 'Correct the config first.');
  }
  return { configFile: file, experiment, mean: { k: experiment.model.moe?.top_k ?? 1, measured: null } };
}

/**
 * The twin with the same number of experts for every unit, to compare with at equal cost. `folder`: where its config is to be. It extends the subject's config where
 * that still says what the subject is, else it stands alone. Throws NoTwin where K does not vary.
 */
export function fixedKTwin({ configFile, experiment, mean }: TwinSubject, folder: string, readText: ReadText): FixedKTwin {
  const { moe } = experiment.model;
  if (moe === undefined || !choicesVary(moe)) {
    const why = moe === undefined ? 'has no routed layers' : `gives every unit ${moe.top_k} experts already (select: ${moe.router.select})`;
    throw new NoTwin(`${experimentName(configFile, experiment)} ${why}.`, 'A twin is for models with select: dynamic or top_p.');
  }
  const k = Math.max(1, Math.min(moe.experts, Math.round(mean.k)));
  const twin = withFixedK(experiment, k);
  const count = countModel(buildLanguageModel(experiment), experiment.model);
  const macs = {
    twin: countModel(buildLanguageModel(twin), twin.model).macsPerToken.total,
    mean: macsAtMeanK(count, experiment.model, mean.k),
  };
  const name = `${experimentName(configFile, experiment)}, k = ${k}`;
  const difference = macs.twin / macs.mean - 1;
  const taken = mean.k.toFixed(2);
  const average =
    mean.measured === null ? `is meant to take ${taken} on average, its top_k` : `takes ${taken} on average (measured ${mean.measured})`;
  const heading = [
    `Twin of ${experimentName(configFile, experiment)} with ${k} ${k === 1 ? 'expert' : 'experts'} for every unit, where that ${average}.`,
    costSentence(macs.twin, macs.mean),
  ];
  const stated = statedRouter(configFile, experiment, readText);
  const body =
    stated === undefined ? standalone({ ...twin, name }, dirname(configFile), folder) : variant(configFile, folder, name, k, stated);
  return { k, macsPerToken: macs.twin, macsAtMeanK: macs.mean, difference, text: `${heading.map(comment).join('\n')}\n${body}` };
}

function withFixedK(experiment: Experiment, k: number): Experiment {
  const { model } = experiment;
  if (model.moe === undefined) return experiment;
  const { k_max: _, ...router } = model.moe.router;
  return { ...experiment, model: { ...model, moe: { ...model.moe, top_k: k, router: { ...router, select: 'top_k', entropy_weight: 0 } } } };
}

/** What the config and all it extends say of the router; undefined where it is not there, or no longer says what `experiment` is. */
function statedRouter(file: string, experiment: Experiment, readText: ReadText): Readonly<Record<string, unknown>> | undefined {
  const now = loadConfig(file, readText).experiment;
  if (now === undefined || !sameButForWhere(now, experiment)) return undefined;
  const text = readText(file);
  const { value } = readExtendsChain(file, text ?? '', readText);
  const at = (part: unknown, key: string): unknown => (isMapping(part) ? part[key] : undefined);
  const router = at(at(at(value, 'model'), 'moe'), 'router');
  return isMapping(router) ? router : {};
}

/** The command line may have said another device and fewer steps. */
function sameButForWhere(one: Experiment, other: Experiment): boolean {
  const compared = ({ engine: { device: _, ...engine }, train, ...rest }: Experiment): string =>
    JSON.stringify({ ...rest, engine, train: train && { ...train, steps: 0 } }, sortedKeys);
  return compared(one) === compared(other);
}

function sortedKeys(_: string, value: unknown): unknown {
  return isMapping(value) ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))) : value;
}

/** Says only what differs; a key without a value takes away what the base says. */
function variant(file: string, folder: string, name: string, k: number, stated: Readonly<Record<string, unknown>>): string {
  const taken = ofVaryingK.filter((key) => stated[key] !== undefined && stated[key] !== null);
  const router = Object.fromEntries<string | null>([['select', 'top_k'], ...taken.map((key): [string, null] => [key, null])]);
  const document = new Document({ extends: posix(relative(folder, file)) || basename(file), name, model: { moe: { top_k: k, router } } });
  return document.toString({ lineWidth: 0, nullStr: '' }).replace(/: $/gm, ':');
}

/** The whole config, its paths as seen from `to`. */
function standalone(experiment: Experiment, from: string, to: string): string {
  const rebased = (path: string): string => (isAbsolute(path) || from === to ? path : posix(join(relative(to, from), path)));
  const { parity, data, model, ...rest } = experiment;
  const moe = model.moe && { ...model.moe, router: withoutKeys(model.moe.router, ofVaryingK) };
  const document = new Document(
    plain({
      ...rest,
      ...(parity === undefined ? {} : { parity: rebased(parity) }),
      model: { ...model, moe },
      ...(data === undefined
        ? {}
        : {
            data: {
              ...data,
              train: data.train.map(rebased),
              validation: Object.fromEntries(Object.entries(data.validation).map(([set, files]) => [set, files.map(rebased)])),
            },
          }),
    }),
  );
  for (const path of [
    ['model', 'attention'],
    ['model', 'ffn'],
    ['model', 'moe', 'router'],
    ['train'],
    ['evaluate'],
    ['checkpoint'],
    ['engine'],
  ]) {
    const node = document.getIn(path, true);
    if (isMap(node)) node.flow = true;
  }
  return document.toString({ lineWidth: 0 });
}

function withoutKeys(value: object, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !keys.includes(key)));
}

/** Without what is undefined, which YAML would write as null. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

function posix(path: string): string {
  return path.replaceAll('\\', '/');
}

/** Wrapped at words. A name may have any characters: none of them ends the comment. */
function comment(text: string): string {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(/[\s\u0085]+/)) {
    if (line.length + 1 + word.length > 100 && line !== '#') {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line].join('\n');
}

function digits(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** `1,234,567 MACs per token, 3.10 % more than its 1,197,446 at that mean.` */
export function costSentence(twin: number, mean: number): string {
  const text = Math.abs(100 * (twin / mean - 1)).toFixed(2);
  if (Number(text) === 0) return `${digits(twin)} MACs per token, as many as at that mean.`;
  return `${digits(twin)} MACs per token, ${text} % ${twin > mean ? 'more' : 'fewer'} than the ${digits(mean)} at that mean.`;
}
