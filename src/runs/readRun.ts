import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { RunDescription, RunStatus } from './format';
import { parseDescription, parseStatus } from './recordSchemas';
import { runFiles } from './runFiles';

/** `run.json`; undefined where there is none, or none that this version understands. */
export async function readDescription(run: string): Promise<RunDescription | undefined> {
  return readJson(runFiles.description(run), parseDescription);
}

/** `status.json`; undefined where there is none, or none that this version understands. */
export async function readStatus(run: string): Promise<RunStatus | undefined> {
  return readJson(runFiles.status(run), parseStatus);
}

/**
 * `status.json`; where it is there but says nothing (a power cut may empty a file), the status of a worker that is gone, so that the run is
 * listed as lost and can be resumed. Undefined where there is none.
 */
export async function readStatusOrLost(run: string, { totalSteps }: Pick<RunDescription, 'totalSteps'>): Promise<RunStatus | undefined> {
  const status = await readStatus(run);
  if (status !== undefined || !existsSync(runFiles.status(run))) return status;
  const gone = { host: hostname(), bootId: '', pid: 0, heartbeat: '', address: null };
  return { schemaVersion: 1, state: 'running', step: 0, totalSteps, failure: null, ...gone };
}

/** A JSON file of a run directory as `parse` understands it; undefined where there is none, or none that it understands. */
export async function readJson<T>(file: string, parse: (value: unknown) => T | undefined): Promise<T | undefined> {
  // A file that is just being replaced may be missing or unreadable for a moment (Windows, full disk).
  for (let attempt = 0; attempt < 3; attempt++) {
    if (attempt > 0) await delay(20);
    try {
      return parse(JSON.parse(await readFile(file, 'utf8')));
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
    }
  }
  return undefined;
}
