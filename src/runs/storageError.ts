/** The disk refused what a run needs. The files written before it stay readable. */
export class RunStorageError extends Error {
  override readonly name = 'RunStorageError';
  constructor(
    message: string,
    readonly advice: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const explanations: Readonly<Record<string, readonly [what: string, advice: string]>> = {
  ENOSPC: ['the disk is full', 'Free space, or choose another folder for runs (moeLab.runsDirectory, --runs), then resume the run.'],
  EDQUOT: [
    'the disk quota is used up',
    'Free space, or choose another folder for runs (moeLab.runsDirectory, --runs), then resume the run.',
  ],
  EFBIG: ['the file may not grow further', 'Raise the file size limit (ulimit -f), then resume the run.'],
  EROFS: ['the disk is read-only', 'Choose a folder for runs that can be written (moeLab.runsDirectory, --runs).'],
  EACCES: ['permission was denied', 'Make the folder writable, or choose another one for runs (moeLab.runsDirectory, --runs).'],
  EPERM: ['permission was denied', 'Make the folder writable, or choose another one for runs (moeLab.runsDirectory, --runs).'],
  ENOTDIR: ['a part of the path is a file, not a folder', 'Choose another folder for runs (moeLab.runsDirectory, --runs).'],
  EEXIST: ['a file stands where a folder is needed', 'Choose another folder for runs (moeLab.runsDirectory, --runs).'],
  ENOENT: ['the folder has vanished', 'Was the run deleted while it was training? Start it again.'],
  ENAMETOOLONG: ['the path is too long', 'Choose a folder for runs with a shorter path (moeLab.runsDirectory, --runs).'],
};

/** Turns a file system error into one that says what was being written and what the user can do; other errors pass unchanged. */
export function asStorageError(error: unknown, path: string): unknown {
  if (error instanceof RunStorageError) return error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (code === undefined) return error;
  const [what, advice] = explanations[code] ?? [`the system said ${code}`, 'Check the disk, or choose another folder for runs.'];
  return new RunStorageError(`Cannot write ${path}: ${what}.`, advice, { cause: error });
}

/** Runs `action`; a file system error becomes a RunStorageError about `path`. */
export function guardStorage<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw asStorageError(error, path);
  }
}
