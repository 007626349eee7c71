import { basename, dirname, isAbsolute, join, relative } from 'node:path';
import { Document, isMap } from 'yaml';
import type { ReadText } from '../config/configFile';
import { readExtendsChain } from '../config/extendsChain';
import { loadConfig } from '../config/loadConfig';
import { isMapping } from '../config/mapping';
import type { Experiment, RouterConfig } from '../config/schema';

/** What the router of a model with a fixed k has no use for. */
const ofVaryingK = ['importance', 'k_min', 'k_max', 'budget', 'top_p', 'entropy_weight'] as const satisfies readonly (keyof RouterConfig)[];

/** A model and its twin with a fixed k, whose config is to be in `folder`. */
export interface TwinPair {
  /** Of the subject. */
  readonly configFile: string;
  readonly experiment: Experiment;
  readonly twin: Experiment;
  readonly name: string;
  /** Keys of the twin's `moe` that differ from its subject's, but for its router. */
  readonly changed: Readonly<Record<string, string | number>>;
  readonly folder: string;
}

/** The config of a twin: it extends the subject's where that still says what the subject is, else it stands alone. */
export function twinConfig({ configFile, experiment, twin, name, changed, folder }: TwinPair, readText: ReadText): string {
  const stated = statedRouter(configFile, experiment, readText);
  if (stated === undefined) return standalone({ ...twin, name }, dirname(configFile), folder);
  return variant(configFile, folder, name, changed, stated);
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
function variant(
  file: string,
  folder: string,
  name: string,
  changed: TwinPair['changed'],
  stated: Readonly<Record<string, unknown>>,
): string {
  const taken = ofVaryingK.filter((key) => stated[key] !== undefined && stated[key] !== null);
  const router = Object.fromEntries<string | null>([['select', 'top_k'], ...taken.map((key): [string, null] => [key, null])]);
  const document = new Document({ extends: posix(relative(folder, file)) || basename(file), name, model: { moe: { ...changed, router } } });
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

export function posix(path: string): string {
  return path.replaceAll('\\', '/');
}
