import { readFile } from 'node:fs/promises';
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

async function readJson<T>(file: string, parse: (value: unknown) => T | undefined): Promise<T | undefined> {
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
