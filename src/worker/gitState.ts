import { execFile } from 'node:child_process';
import type { RunDescription } from '../runs/format';

const gitMilliseconds = 5_000;

/** The commit that `folder` is at, and whether anything differs from it; null outside of git, or without git. */
export async function gitState(folder: string): Promise<RunDescription['git']> {
  const commit = await git(folder, 'rev-parse', 'HEAD');
  if (commit === undefined) return null;
  const changes = await git(folder, 'status', '--porcelain');
  return { commit: commit.trim(), dirty: changes === undefined || changes.trim() !== '' };
}

function git(folder: string, ...command: string[]): Promise<string | undefined> {
  // A repository may name a file system monitor to start: only to read its state, none of its programs shall run.
  const safe = ['-c', 'core.fsmonitor=false', '--no-optional-locks'];
  return new Promise((resolve) => {
    execFile(
      'git',
      [...safe, ...command],
      { cwd: folder, timeout: gitMilliseconds, windowsHide: true, maxBuffer: 1 << 26 },
      (error, stdout) => resolve(error === null ? stdout : undefined),
    );
  });
}
