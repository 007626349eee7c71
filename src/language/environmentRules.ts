import { basename, dirname, resolve } from 'node:path';
import type { LoadedConfig } from '../config/configFile';
import { atKey, atValue, type PathFinding, type Spot } from '../config/pathFinding';
import type { Remedy } from '../config/remedy';
import type { Experiment } from '../config/schema';
import type { TextOverlap } from '../data/textOverlap';
import type { MemoryPart } from '../training/resources';
import {
  bySize,
  bytesOn,
  memoryAdvice,
  memoryRooms,
  neededText,
  type MachineMemory,
  type MemoryRoom,
  type MemorySide,
} from '../worker/memoryRooms';
import type { RunNeeds } from '../worker/runNeeds';

/** What surrounds a config: the machine, and the text on its disk. */
export interface EnvironmentInput {
  readonly loaded: Pick<LoadedConfig, 'file' | 'experiment'>;
  /** Null for a config that only counts. */
  readonly needs: RunNeeds | null;
  /** What the machine has for a run; null where nobody asks whether one fits. */
  readonly memory: MachineMemory | null;
  /** Where validation text was looked for in the training text; undefined where it was not, or not yet. */
  readonly overlaps: readonly TextOverlap[] | undefined;
}

/** Rules about what surrounds a config, for lists of rules. */
export const environmentRules = [
  { code: 'memory', severity: 'warning', summary: 'training needs more memory than the machine, or its GPU, has' },
  { code: 'validation-in-training', severity: 'warning', summary: 'validation text is in the training text' },
] as const;

export function environmentFindings(input: EnvironmentInput): PathFinding[] {
  const { experiment } = input.loaded;
  if (experiment === undefined) return [];
  return [...memoryFindings(experiment, input), ...validationFindings(experiment, input)];
}

function memoryFindings(experiment: Experiment, { needs, memory }: EnvironmentInput): PathFinding[] {
  // Without text nobody means to train it here: tables of a paper, counted on a laptop.
  if (needs === null || memory === null || experiment.data === undefined) return [];
  const { parts } = needs.memory;
  const rooms = memoryRooms(needs.memory, memory);
  const short = rooms.find(({ needed, has }) => needed > has);
  if (short === undefined) return [];
  return [
    {
      code: 'memory',
      severity: 'warning',
      spots: memorySpots(experiment, parts, short.side),
      message: `Training needs ${neededText(short, parts)}; ${short.text}. ${memoryAdvice(parts, short.side)}`,
      remedies: smallerMicrobatch(experiment, parts, rooms),
    },
  ];
}

function isActivations({ name }: MemoryPart): boolean {
  return name === 'activations' || name === 'evaluation';
}

/** At what the largest part depends on. */
function memorySpots({ model }: Experiment, parts: readonly MemoryPart[], side: MemorySide): readonly Spot[] {
  const [largest] = bySize(parts, side);
  const ofState = [
    ...(model.product_keys === undefined ? [] : [atKey('model', 'product_keys', 'experts')]),
    ...(model.moe === undefined ? [] : [atKey('model', 'moe', 'experts')]),
    atKey('model', 'd_model'),
  ];
  return largest !== undefined && isActivations(largest)
    ? [atKey('train', 'micro_batch'), atKey('model', 'context'), atKey('train'), atKey('model')]
    : [...ofState, atKey('model')];
}

/**
 * Activations are as large as a microbatch has windows: the largest divisor that fits, wherever memory is held against, leaves the training
 * as it is.
 */
function smallerMicrobatch({ model, train }: Experiment, parts: readonly MemoryPart[], rooms: readonly MemoryRoom[]): readonly Remedy[] {
  if (train === undefined) return [];
  const { micro_batch: windows } = train;
  // Gradients of a second microbatch are summed beside those of the first: half as much again.
  const summed = windows * model.context >= train.batch_tokens ? 0.5 : 0;
  const fits = (fewer: number, { side, has }: MemoryRoom): boolean => {
    const needed = parts.map((part) => {
      const factor = isActivations(part) ? fewer / windows : part.name === 'gradients' ? 1 + summed : 1;
      return factor * bytesOn(side, part);
    });
    return needed.reduce((total, bytes) => total + bytes, 0) <= has;
  };
  for (let fewer = Math.floor(windows / 2); fewer >= 1; fewer--) {
    if (windows % fewer !== 0 || !rooms.every((room) => fits(fewer, room))) continue;
    return [{ title: `Set micro_batch to ${fewer}`, changes: [{ kind: 'set', path: ['train', 'micro_batch'], value: fewer }] }];
  }
  return [];
}

function validationFindings({ data }: Experiment, { loaded: { file }, overlaps }: EnvironmentInput): PathFinding[] {
  if (data === undefined) return [];
  const training = new Set(data.train.map((path) => resolve(dirname(file), path)));
  const named = Object.entries(data.validation).flatMap(([set, files]) =>
    files.flatMap((path, index) => (training.has(resolve(dirname(file), path)) ? [namedTwice(set, index, path, files.length)] : [])),
  );
  const said = new Set(named.map(({ set }) => set));
  const found = (overlaps ?? []).filter(({ set }) => !said.has(set) && data.validation[set] !== undefined).map(foundInText);
  return [...named.map(({ finding }) => finding), ...found];
}

/** By what the config itself says, before anybody looks at a disk. */
function namedTwice(set: string, index: number, path: string, files: number): { readonly set: string; readonly finding: PathFinding } {
  // A set of no files is none.
  const taken = files === 1 ? ['data', 'validation', set] : ['data', 'validation', set, index];
  return {
    set,
    finding: {
      code: 'validation-in-training',
      severity: 'warning',
      spots: [atValue('data', 'validation', set, index), atKey('data', 'validation', set)],
      message: `${path} is training text, too: its perplexity says how well it was learnt by heart. Validate on text that is not trained on.`,
      remedies: [{ title: `Take ${basename(path)} out of the validation`, changes: [{ kind: 'remove', path: taken }] }],
    },
  };
}

function foundInText({ set, validationFile, trainingFile, windows, found, sameFile }: TextOverlap): PathFinding {
  const what = sameFile
    ? `${basename(validationFile)} of the validation set ${set} is a training file, too`
    : `${Math.max(1, Math.round((100 * found) / windows))} % of the validation set ${set} is in the training text (${found} of ${windows} samples, most of them of ${basename(validationFile)} in ${basename(trainingFile)})`;
  return {
    code: 'validation-in-training',
    severity: 'warning',
    spots: [atKey('data', 'validation', set)],
    message: `${what}: its perplexity says how well that was learnt by heart. Take it out of one of both.`,
  };
}
