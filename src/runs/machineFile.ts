import { mkdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { replaceJson } from './atomicFile';
import { ignoreInGit } from './runDirectory';
import { guardStorage } from './storageError';
import type { Measurement } from './throughput';

/** How fast machines train and what GPUs they have, beside their runs: those that share a runs folder have their names. */
export function machineFile(runsDirectory: string): string {
  return join(runsDirectory, 'machine.json');
}

export const gpuSchema = z.object({ name: z.string(), bytes: z.number().positive(), shared: z.boolean() });

/** A GPU and the memory that it computes in, in bytes. `shared`: that is the memory of the machine, which all else on it needs, too. */
export type KnownGpu = Readonly<z.infer<typeof gpuSchema>>;

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
  /** Of machines that were asked for a GPU. Files of before 0.2.0 have none; one that is not understood is asked for again. */
  machines: z.array(z.object({ host: z.string(), gpus: z.array(gpuSchema), askedAt: z.string() })).catch([]),
});
type MachineFile = z.infer<typeof schema>;

/** Older ones are dropped beyond so many. */
const MOST = 200;

/** What was measured; nothing where there is no such file, or none that this version understands. */
export function readMachineFile(runsDirectory: string): readonly Measurement[] {
  return read(runsDirectory).measurements;
}

/**
 * Adds a measurement in place of an older one of the same training on the same device. Makes the runs folder where there is none. Throws
 * RunStorageError.
 */
export function addMeasurement(runsDirectory: string, measurement: Measurement): void {
  const { trained, host, device } = measurement;
  change(runsDirectory, ({ measurements, ...rest }) => {
    const others = measurements.filter((one) => one.trained !== trained || one.host !== host || one.device !== device);
    return { ...rest, measurements: [measurement, ...others].slice(0, MOST) };
  });
}

/** The GPUs of a machine whose memory is known; undefined where nobody has asked it. */
export async function readGpus(runsDirectory: string, host: string = hostname()): Promise<readonly KnownGpu[] | undefined> {
  return gpusOf(parse(await readFile(machineFile(runsDirectory), 'utf8').catch(() => '')), host);
}

function gpusOf({ machines }: MachineFile, host: string): readonly KnownGpu[] | undefined {
  return machines.find((machine) => machine.host === host)?.gpus;
}

/** Keeps the GPUs of this machine; writes only what is new. Makes the runs folder where there is none. Throws RunStorageError. */
export function keepGpus(runsDirectory: string, gpus: readonly KnownGpu[], host: string = hostname()): void {
  const known = gpusOf(read(runsDirectory), host);
  if (known === undefined ? gpus.length === 0 : JSON.stringify(known) === JSON.stringify(gpus.map(inOrder))) return;
  change(runsDirectory, ({ machines, ...rest }) => {
    const others = machines.filter((machine) => machine.host !== host);
    return { ...rest, machines: [{ host, gpus: gpus.map(inOrder), askedAt: new Date().toISOString() }, ...others].slice(0, MOST) };
  });
}

/** As the schema reads it. */
function inOrder({ name, bytes, shared }: KnownGpu): KnownGpu {
  return { name, bytes, shared };
}

function read(runsDirectory: string): MachineFile {
  try {
    return parse(readFileSync(machineFile(runsDirectory), 'utf8'));
  } catch {
    return parse('');
  }
}

/** As good as empty where this version does not understand it. */
function parse(text: string): MachineFile {
  const nothing: MachineFile = { schemaVersion: 1, measurements: [], machines: [] };
  try {
    return schema.safeParse(JSON.parse(text)).data ?? nothing;
  } catch {
    return nothing;
  }
}

function change(runsDirectory: string, edit: (file: MachineFile) => MachineFile): void {
  guardStorage(runsDirectory, () => mkdirSync(runsDirectory, { recursive: true }));
  ignoreInGit(runsDirectory);
  replaceJson(machineFile(runsDirectory), edit(read(runsDirectory)));
}
