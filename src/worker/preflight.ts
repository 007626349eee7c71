import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildLanguageModel } from '../models/languageModel';
import type { RunDescription } from '../runs/format';
import type { LoadedExperiment } from './createRun';
import { bytesText } from './bytesText';
import { machineRoom, type MachineRoom } from './machineRoom';
import { LaunchError } from './runFailure';
import { runnableExperiment } from './runnableExperiment';
import { runNeeds, type RunNeeds } from './runNeeds';

/** What is estimated of the memory may be so much less in truth: a run is refused only where it cannot fit even then. */
const surelyNeeded = 0.8;
/** Beyond this share of what there is, a run that fits is told to be tight. */
const tight = 0.9;

/**
 * Holds what a run needs against what the machine has, before there is anything of the run. Throws LaunchError where it cannot fit, with the figures and with
 * what makes it smaller; what may just fit is told to `warn`.
 */
export function checkRoom(
  { experiment }: Pick<LoadedExperiment, 'experiment'>,
  data: RunDescription['data'],
  runsDirectory: string,
  warn: (message: string) => void,
): void {
  for (const message of holdAgainst(needsWith(experiment, data), machineRoom(runsDirectory), runsDirectory)) warn(message);
}

/** The same for a run that is to be taken up again: the machine may be another one, or have less room. What it holds of the disk already, it has. */
export async function checkRoomToResume(run: string, description: RunDescription, warn: (message: string) => void): Promise<void> {
  const needs = needsWith(runnableExperiment(description), description.data);
  for (const message of holdAgainst(needs, machineRoom(run), dirname(run), { held: await bytesIn(run) })) warn(message);
}

function needsWith(experiment: LoadedExperiment['experiment'], data: RunDescription['data']): RunNeeds {
  const textBytes = data.reduce((sum, { bytes }) => sum + bytes, 0);
  return runNeeds(experiment, buildLanguageModel(experiment), textBytes);
}

/** Bytes of all files of a folder. */
async function bytesIn(folder: string): Promise<number> {
  const paths = await readdir(folder, { recursive: true });
  // What another process takes away meanwhile has no size.
  const found = await Promise.all(paths.map((path) => stat(join(folder, path)).catch(() => undefined)));
  return found.reduce((sum, entry) => sum + (entry?.isFile() === true ? entry.size : 0), 0);
}

/** The warnings. `resumed`: of a run that is taken up again, the bytes that it has on the disk. Throws LaunchError. */
export function holdAgainst(
  { memory, disk }: RunNeeds,
  room: MachineRoom,
  runsDirectory: string,
  resumed?: { readonly held: number },
): readonly string[] {
  const warnings: string[] = [];
  const least = memory.parts.reduce((sum, { host, exact }) => sum + (exact ? host : surelyNeeded * host), 0);
  const needs = `This run needs about ${bytesText(memory.host)} of memory (${largestParts(memory)})`;
  if (least > room.memory)
    throw new LaunchError(`${needs}; this machine has ${bytesText(room.memory)}.`, resumed ? resumeAdvice.memory : memoryAdvice(memory));
  if (memory.host > tight * room.memory) warnings.push(`${needs}; this machine has ${bytesText(room.memory)}: it may not fit.`);
  else if (memory.host > room.freeMemory) {
    warnings.push(`${needs}, and ${bytesText(room.freeMemory)} are free at present: end other programs, or it may be ended.`);
  }
  if (room.freeDisk === null) return warnings;
  const parts = `checkpoints ${bytesText(disk.checkpoints)}, series ${bytesText(disk.series)}`;
  const { held } = resumed ?? { held: 0 };
  const more = Math.max(0, disk.total - held);
  const space = `This run needs up to ${bytesText(disk.total)} on the disk (${parts})${resumed ? `, of which it has ${bytesText(held)}` : ''}`;
  const free = `${runsDirectory} has ${bytesText(room.freeDisk)} free`;
  if (more > room.freeDisk) throw new LaunchError(`${space}; ${free}.`, resumed ? resumeAdvice.disk : diskAdvice);
  if (more > tight * room.freeDisk) warnings.push(`${space}; ${free}: it will be almost full.`);
  return warnings;
}

/** Its config is what it is. */
const resumeAdvice = {
  memory: 'Resume it on a machine with more memory, or start a smaller model (experts, d_model, layers).',
  disk: 'Free space, for example by deleting runs, then resume it.',
} as const;

/** The three largest parts of what the host needs, largest first. */
function largestParts({ parts }: RunNeeds['memory']): string {
  return parts
    .filter(({ host }) => host > 0)
    .toSorted((one, other) => other.host - one.host)
    .slice(0, 3)
    .map(({ meaning, host }) => `${meaning} ${bytesText(host)}`)
    .join(', ');
}

const diskAdvice =
  'Free space, choose another folder for runs (moeLab.runsDirectory, --runs), or keep fewer checkpoints (checkpoint.keep) of a smaller model (experts, d_model).';

function memoryAdvice({ parts }: RunNeeds['memory']): string {
  const [largest] = parts.toSorted((one, other) => other.host - one.host);
  switch (largest?.name) {
    case 'activations':
    case 'evaluation':
      return 'Make train.micro_batch or model.context smaller, or the model (d_model, layers); or train on a machine with more memory.';
    case 'text':
      return 'Train on less text, or on a machine with more memory.';
    default:
      return 'Make the model smaller (experts, d_model, layers), or train on a machine with more memory; a GPU with memory of its own takes what is not a table of experts (engine.device).';
  }
}
