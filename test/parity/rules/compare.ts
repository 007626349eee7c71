import { dirname, resolve } from 'node:path';
import { loadConfig } from '../../../src/config/loadConfig';
import type { LoadedConfig, ReadText } from '../../../src/config/configFile';
import type { PathFinding } from '../../../src/config/pathFinding';
import type { Experiment } from '../../../src/config/schema';
import { countModel, type ModelCount } from '../../../src/models/count';
import { buildLanguageModel } from '../../../src/models/languageModel';
import { residuals } from '../../../src/parity/compareWithBaseline';
import { parityFindings } from '../../../src/parity/rules/parityRules';
import type { ParityInput } from '../../../src/parity/rules/parityRule';

type Texts = Readonly<Record<string, string>>;

const folder = '/lab';

export function reader(texts: Texts): ReadText {
  return (file) => (file.startsWith(`${folder}/`) ? texts[file.slice(folder.length + 1)] : undefined);
}

export function load(name: string, texts: Texts): LoadedConfig & { readonly experiment: Experiment } {
  const loaded = loadConfig(`${folder}/${name}`, reader(texts));
  const { experiment } = loaded;
  if (experiment === undefined) throw new Error(`${name}: ${loaded.findings.map(({ message }) => message).join(' ')}`);
  return { ...loaded, experiment };
}

export function count({ experiment }: { readonly experiment: Experiment }): ModelCount {
  return countModel(buildLanguageModel(experiment), experiment.model);
}

/** What is known of `a.moe.yaml` and its baseline, counted from their programs. */
export function inputOf(texts: Texts): ParityInput {
  const loaded = load('a.moe.yaml', texts);
  const name = loaded.experiment.parity;
  const ours = count(loaded);
  const baselineOf = (file: string): string | undefined => {
    const parity = loadConfig(file, reader(texts)).experiment?.parity;
    return parity === undefined ? undefined : resolve(dirname(file), parity);
  };
  if (name === undefined) return { loaded, count: ours, baseline: undefined, residuals: null, baselineOf };
  const file = resolve(folder, name);
  const { experiment } = load(file.slice(folder.length + 1), texts);
  const theirs = count({ experiment });
  return {
    loaded,
    count: ours,
    baseline: { name, file, experiment, count: theirs },
    residuals: residuals(name, ours, theirs),
    baselineOf,
  };
}

/** Findings of `a.moe.yaml` as `severity code key: message`. */
export function findingsOf(texts: Texts): readonly PathFinding[] {
  return parityFindings(inputOf(texts));
}

export function codes(texts: Texts): readonly string[] {
  return findingsOf(texts).map(({ severity, code }) => `${severity} ${code}`);
}

export function spotOf({ spots }: PathFinding): string {
  return spots[0]?.path.join('.') ?? '';
}
