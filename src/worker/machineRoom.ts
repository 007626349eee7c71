import { existsSync, statfsSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { dirname } from 'node:path';

/** What a machine has for a run, in bytes. */
export interface MachineRoom {
  /** Free for this user where runs are kept; null where the system does not say. */
  readonly freeDisk: number | null;
  /** Of the machine, or of the container that this process is in. */
  readonly memory: number;
  /** What of it nobody uses at present. */
  readonly freeMemory: number;
}

/** `runsDirectory` need not be there yet. */
export function machineRoom(runsDirectory: string): MachineRoom {
  const memory = memoryLimit(totalmem(), process.constrainedMemory());
  return { freeDisk: freeDisk(runsDirectory), memory, freeMemory: Math.min(freemem(), memory) };
}

/** `constrained`: of the container; 0, absent or far more than there is where it has no limit. */
export function memoryLimit(total: number, constrained: number | undefined): number {
  return constrained !== undefined && constrained > 0 && constrained < total ? constrained : total;
}

function freeDisk(folder: string): number | null {
  const there = existing(folder);
  try {
    const { bavail, bsize } = statfsSync(there);
    return bavail * bsize;
  } catch {
    return null;
  }
}

/** The folder, or the nearest one above it that is there. */
function existing(folder: string): string {
  return existsSync(folder) || dirname(folder) === folder ? folder : existing(dirname(folder));
}
