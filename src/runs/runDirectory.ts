import { randomInt } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runFiles } from './runFiles';
import { asStorageError, guardStorage, RunStorageError } from './storageError';

/** Longest name of a run directory. */
export const MAXIMUM_ID_LENGTH = 60;

const letters = 'abcdefghijklmnopqrstuvwxyz';
const suffixLength = 4;
const stampLength = 'YYYYMMDD-HHMMSS'.length;

/** `YYYYMMDD-HHMMSS` in UTC, so that ids sort by time wherever they were made. */
function runStamp(now: Date): string {
  const [date, time] = now.toISOString().slice(0, 19).split('T');
  return `${(date ?? '').replaceAll('-', '')}-${(time ?? '').replaceAll(':', '')}`;
}

/** A name reduced to what every file system and shell takes: a-z, 0-9 and single dashes. */
export function slugOf(name: string): string {
  const slug = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAXIMUM_ID_LENGTH - stampLength - suffixLength - 2)
    .replace(/^-+|-+$/g, '');
  return slug === '' ? 'run' : slug;
}

export function runId(name: string, now: Date, suffix: string): string {
  return `${runStamp(now)}-${slugOf(name)}-${suffix}`;
}

function randomSuffix(): string {
  return Array.from({ length: suffixLength }, () => letters[randomInt(letters.length)]).join('');
}

export interface RunDirectoryOptions {
  readonly runsDirectory: string;
  readonly name: string;
  readonly now: Date;
  /** Four letters; drawn again when the name is taken. */
  readonly suffix?: () => string;
}

/**
 * Creates `<runs>/<id>/` with its subfolders, and `<runs>` with a `.gitignore` of its own. Two processes that start the same
 * experiment in the same second get two directories. Throws RunStorageError.
 */
export function createRunDirectory({ runsDirectory, name, now, suffix = randomSuffix }: RunDirectoryOptions): {
  readonly id: string;
  readonly directory: string;
} {
  guardStorage(runsDirectory, () => mkdirSync(runsDirectory, { recursive: true }));
  ignoreInGit(runsDirectory);
  for (let attempt = 0; attempt < 100; attempt++) {
    const id = runId(name, now, suffix());
    const directory = join(runsDirectory, id);
    try {
      mkdirSync(directory);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'EEXIST') continue;
      throw asStorageError(error, directory);
    }
    for (const folder of [runFiles.checkpoints(directory), runFiles.requests(directory)]) {
      guardStorage(folder, () => mkdirSync(folder));
    }
    return { id, directory };
  }
  throw new RunStorageError(`No free name for a run called ${name} in ${runsDirectory}.`, 'Wait a second and start it again.');
}

export function ignoreInGit(runsDirectory: string): void {
  const file = join(runsDirectory, '.gitignore');
  try {
    writeFileSync(file, '*\n', { flag: 'wx' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return;
    throw asStorageError(error, file);
  }
}
