import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runFiles } from '../runs/runFiles';
import { asStorageError } from '../runs/storageError';

/** What can be asked of a run by a file of that name in `requests/`: the way in where no socket is reachable. */
export const requestKinds = ['stop', 'checkpoint'] as const;
export type RequestKind = (typeof requestKinds)[number];

export function leaveRequest(run: string, kind: RequestKind): void {
  const file = join(runFiles.requests(run), kind);
  try {
    mkdirSync(runFiles.requests(run), { recursive: true });
    writeFileSync(file, '');
  } catch (error) {
    throw asStorageError(error, file);
  }
}

/**
 * The requests that lie there; each is removed, so that it is taken once. Never throws: one that cannot be removed is taken again, which
 * does no harm.
 */
export function takeRequests(run: string): readonly RequestKind[] {
  let names: readonly string[];
  try {
    names = readdirSync(runFiles.requests(run));
  } catch {
    return [];
  }
  const taken = requestKinds.filter((kind) => names.includes(kind));
  for (const kind of taken) removeQuietly(join(runFiles.requests(run), kind));
  return taken;
}

function removeQuietly(file: string): void {
  try {
    rmSync(file, { recursive: true, force: true });
  } catch {
    // Another user's, or a read-only disk.
  }
}
