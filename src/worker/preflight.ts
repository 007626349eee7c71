import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { buildLanguageModel } from '../models/languageModel';
import type { RunDescription } from '../runs/format';
import type { LoadedExperiment } from './createRun';
import { runFiles } from '../runs/runFiles';
import { bytesText } from './bytesText';
import { machineRoom, type MachineRoom } from './machineRoom';
import { memoryAdvice, neededText } from './memoryRooms';
import { LaunchError } from './runFailure';
import { runnableExperiment } from './runnableExperiment';
import { runNeeds, type RunNeeds } from './runNeeds';

/** What is estimated of the memory may be so much less in truth: a run is refused only where it cannot fit even then. */
const surelyNeeded = 0.8;
/** Beyond this share of what there is, a run that fits is told to be tight. */
const tight = 0.9;

/**
 * Holds what a run needs against what the machine has, before there is anything of the run. Throws LaunchError where it cannot fit, with
 * the figures and with what makes it smaller; what may just fit is told to `warn`.
 */
export function checkRoom(
  { experiment }: Pick<LoadedExperiment, 'experiment'>,
  data: RunDescription['data'],
  runsDirectory: string,
  warn: (message: string) => void,
): void {
  for (const message of holdAgainst(needsWith(experiment, data), machineRoom(runsDirectory), runsDirectory)) warn(message);
}

/**
 * The same for a run that is to be taken up again: the machine may be another one, or have less room. What it holds of the disk already, it
 * has.
 */
export async function checkRoomToResume(run: string, description: RunDescription, warn: (message: string) => void): Promise<void> {
  const needs = needsWith(runnableExperiment(description), description.data);
  for (const message of holdAgainst(needs, machineRoom(run), dirname(run), await heldBy(run))) warn(message);
}

function needsWith(experiment: LoadedExperiment['experiment'], data: RunDescription['data']): RunNeeds {
  const textBytes = data.reduce((sum, { bytes }) => sum + bytes, 0);
  return runNeeds(experiment, buildLanguageModel(experiment), textBytes);
}

/** Bytes that a run has on the disk. */
interface Held {
  readonly checkpoints: number;
  /** All else: mostly series. */
  readonly others: number;
}

async function heldBy(run: string): Promise<Held> {
  const [all, checkpoints] = [await bytesIn(run), await bytesIn(runFiles.checkpoints(run))];
  return { checkpoints, others: Math.max(0, all - checkpoints) };
}

/** Bytes of all files of a folder; none where it is not there. */
async function bytesIn(folder: string): Promise<number> {
  // What is not there, or what another process takes away meanwhile, has no size.
  const paths = await readdir(folder, { recursive: true }).catch(() => []);
  const found = await Promise.all(paths.map((path) => stat(join(folder, path)).catch(() => undefined)));
  return found.reduce((sum, entry) => sum + (entry?.isFile() === true ? entry.size : 0), 0);
}

/**
 * The warnings. `resumed`: of a run that is taken up again, what it has on the disk. Throws LaunchError: for want of disk only where
 * checkpoints do not fit, as a run whose series grow too large can be stopped in time.
 */
export function holdAgainst({ memory, disk }: RunNeeds, room: MachineRoom, runsDirectory: string, resumed?: Held): readonly string[] {
  const warnings: string[] = [];
  const least = memory.parts.reduce((sum, { host, exact }) => sum + (exact ? host : surelyNeeded * host), 0);
  const needs = `This run needs ${neededText({ side: 'host', needed: memory.host }, memory.parts)}`;
  if (least > room.memory)
    throw new LaunchError(
      `${needs}; this machine has ${bytesText(room.memory)}.`,
      resumed ? resumeAdvice.memory : memoryAdvice(memory.parts, 'host'),
    );
  if (memory.host > tight * room.memory) warnings.push(`${needs}; this machine has ${bytesText(room.memory)}: it may not fit.`);
  else if (memory.host > room.freeMemory) {
    warnings.push(`${needs}, and ${bytesText(room.freeMemory)} are free at present: end other programs, or it may be ended.`);
  }
  if (room.freeDisk === null) return warnings;
  const parts = `checkpoints ${bytesText(disk.checkpoints)}, series ${bytesText(disk.series)}`;
  const held = resumed ?? { checkpoints: 0, others: 0 };
  const more = { checkpoints: Math.max(0, disk.checkpoints - held.checkpoints), series: Math.max(0, disk.series - held.others) };
  const space = `This run needs up to ${bytesText(disk.total)} on the disk (${parts})${resumed ? `, of which it has ${bytesText(held.checkpoints + held.others)}` : ''}`;
  const free = `${runsDirectory} has ${bytesText(room.freeDisk)} free`;
  const all = more.checkpoints + more.series;
  if (more.checkpoints > room.freeDisk) throw new LaunchError(`${space}; ${free}.`, resumed ? resumeAdvice.disk : diskAdvice(disk));
  if (all > room.freeDisk)
    warnings.push(
      `${space}; ${free}: its checkpoints fit, but its series, which grow with every step, may fill the disk. ${seriesAdvice(resumed)}`,
    );
  else if (all > tight * room.freeDisk) warnings.push(`${space}; ${free}: it will be almost full.`);
  return warnings;
}

/** Its config is what it is. */
const resumeAdvice = {
  memory: 'Resume it on a machine with more memory, or start a smaller model (experts, d_model, layers).',
  disk: 'Free space, for example by deleting runs, then resume it.',
} as const;

function diskAdvice({ checkpoints, series }: RunNeeds['disk']): string {
  const advice =
    'Free space, choose another folder for runs (moeLab.runsDirectory, --runs), or keep fewer checkpoints (checkpoint.keep) of a smaller model (experts, d_model)';
  return series > checkpoints ? `${advice}, and train for fewer steps (train.steps).` : `${advice}.`;
}

function seriesAdvice(resumed: Held | undefined): string {
  return resumed ? 'Free space, or stop it in time.' : 'Train for fewer steps (train.steps), free space, or stop it in time.';
}
