import { dirname, resolve } from 'node:path';
import { atKey } from '../../config/pathFinding';
import type { Experiment } from '../../config/schema';
import { dotted } from '../../config/describeKey';
import type { KeyPath } from '../../config/yamlTree';
import type { Comparison, ParityRule } from './parityRule';

/** A key that is part of what both models are asked to learn, and what it says in a way that can be compared and shown. */
interface TaskKey {
  readonly path: KeyPath;
  /** `folder`: of the config, to which its paths are relative. */
  of(experiment: Experiment, folder: string): unknown;
  /** Whether its value is short enough to be shown. */
  readonly shown: boolean;
}

/** Of any two models. */
const ofModel: readonly TaskKey[] = [
  { path: ['model', 'vocabulary'], of: ({ model }) => model.vocabulary, shown: true },
  { path: ['model', 'context'], of: ({ model }) => model.context, shown: true },
  { path: ['model', 'objective'], of: ({ model }) => model.objective, shown: true },
];

/** Of models that are both trained. */
const ofTraining: readonly TaskKey[] = [
  { path: ['train', 'masking'], of: ({ model, train }) => (model.objective === 'masked' ? train?.masking : undefined), shown: false },
  { path: ['train', 'steps'], of: ({ train }) => train?.steps, shown: true },
  { path: ['train', 'batch_tokens'], of: ({ train }) => train?.batch_tokens, shown: true },
];

const ofData: readonly TaskKey[] = [
  { path: ['data', 'tokenizer'], of: ({ data }) => data?.tokenizer, shown: true },
  { path: ['data', 'train'], of: ({ data }, folder) => absolute(data?.train ?? [], folder), shown: false },
  {
    path: ['data', 'validation'],
    of: ({ data }, folder) =>
      Object.entries(data?.validation ?? {})
        .map(([set, files]) => [set, absolute(files, folder)])
        .toSorted(([one], [other]) => ((one ?? '') < (other ?? '') ? -1 : 1)),
    shown: false,
  },
];

/** It changes the order of the data and the initial weights: another sample of the same task, not another task. */
const seed: TaskKey = { path: ['train', 'seed'], of: ({ train }) => train?.seed, shown: true };

export const differentTask: ParityRule = {
  code: 'parity-different-task',
  severity: 'warning',
  summary: 'the baseline learns another task: vocabulary, context, objective, text, steps or batches differ',
  differsIn: 'in the task',
  check(comparison) {
    const task = differing(comparison, tasksOf(comparison));
    const { name } = comparison.baseline;
    if (task.length > 0) {
      const all = [...task, ...differing(comparison, seedOf(comparison))];
      return {
        spots: () => [...all.map(({ path }) => atKey(...path)), atKey('parity')],
        message: `Perplexities do not compare with those of ${name}: ${listed(all.map((key) => difference(key, comparison)))}. Say the same in both configs.`,
      };
    }
    const [sample] = differing(comparison, seedOf(comparison));
    // A family over seeds is how a mean over several comes about.
    if (sample === undefined || (comparison.changes && Object.hasOwn(comparison.changes, dotted(sample.path)))) return undefined;
    return {
      severity: 'information',
      spots: () => [atKey(...sample.path), atKey('parity')],
      message: `${name} learns from another seed (${difference(sample, comparison)}): part of any difference is its order of the text and its first weights. Compare the same seeds, or means over several.`,
    };
  },
};

function tasksOf({ experiment, baseline }: Comparison): readonly TaskKey[] {
  const both = (section: 'train' | 'data'): boolean => experiment[section] !== undefined && baseline.experiment[section] !== undefined;
  return [...ofModel, ...(both('train') ? ofTraining : []), ...(both('data') ? ofData : [])];
}

function seedOf({ experiment, baseline }: Comparison): readonly TaskKey[] {
  return experiment.train === undefined || baseline.experiment.train === undefined ? [] : [seed];
}

function differing(comparison: Comparison, keys: readonly TaskKey[]): readonly TaskKey[] {
  return keys.filter((key) => {
    const [ours, theirs] = valuesOf(key, comparison);
    return JSON.stringify(ours) !== JSON.stringify(theirs);
  });
}

function valuesOf({ of }: TaskKey, { loaded, experiment, baseline }: Comparison): readonly [unknown, unknown] {
  return [of(experiment, dirname(loaded.file)), of(baseline.experiment, dirname(baseline.file))];
}

/** `train.steps 400 instead of 800`, `other data.train`. */
function difference(key: TaskKey, comparison: Comparison): string {
  const [ours, theirs] = valuesOf(key, comparison);
  return key.shown ? `${dotted(key.path)} ${String(ours)} instead of ${String(theirs)}` : `other ${dotted(key.path)}`;
}

function listed(parts: readonly string[]): string {
  return parts.length <= 1 ? parts.join('') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1) ?? ''}`;
}

/** Wherever the configs lie: the same files, or globs. */
function absolute(files: readonly string[], folder: string): readonly string[] {
  return files.map((file) => resolve(folder, file)).toSorted();
}
