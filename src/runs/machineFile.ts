import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { replaceJson } from './atomicFile';
import { ignoreInGit } from './runDirectory';
import { guardStorage } from './storageError';
import type { Measurement } from './throughput';

/** How fast machines train, beside their runs: those that share a runs folder have their names. */
export function machineFile(runsDirectory: string): string {
  return join(runsDirectory, 'machine.json');
}

const schema = z.object({
  schemaVersion: z.literal(1),
  measurements: z.array(
    z.object({
      trained: z.string(),
      host: z.string(),
      device: z.string(),
      tokensPerSecond: z.number().positive(),
      macsPerToken: z.number().positive(),
      measuredAt: z.string(),
    }),
  ),
});

/** Older ones are dropped beyond so many. */
const MOST = 200;

/** What was measured; nothing where there is no such file, or none that this version understands. */
export function readMachineFile(runsDirectory: string): readonly Measurement[] {
  try {
    return schema.safeParse(JSON.parse(readFileSync(machineFile(runsDirectory), 'utf8'))).data?.measurements ?? [];
  } catch {
    return [];
  }
}

/** Adds a measurement in place of an older one of the same training on the same device. Makes the runs folder where there is none. Throws RunStorageError. */
export function addMeasurement(runsDirectory: string, measurement: Measurement): void {
  guardStorage(runsDirectory, () => mkdirSync(runsDirectory, { recursive: true }));
  ignoreInGit(runsDirectory);
  const { trained, host, device } = measurement;
  const others = readMachineFile(runsDirectory).filter((one) => one.trained !== trained || one.host !== host || one.device !== device);
  replaceJson(machineFile(runsDirectory), { schemaVersion: 1, measurements: [measurement, ...others].slice(0, MOST) });
}
