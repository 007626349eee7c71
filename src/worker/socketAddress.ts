import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';

/** `sun_path` has 104 bytes on macOS and 108 on Linux, with the final zero. */
const maximumPathBytes = 103;
const socketName = 's';
const folderPrefix = 'moe-';
/** What mkdtemp appends. */
const randomLength = 6;

/** Where a private folder for a socket fits: the temporary folder, or /tmp where that is too deep. */
export function socketParent(temporaryFolder: string): string {
  const length = Buffer.byteLength(join(temporaryFolder, folderPrefix)) + randomLength + 1 + socketName.length;
  return length <= maximumPathBytes ? temporaryFolder : '/tmp';
}

/** A new address to listen at, and the private folder (mode 0700) it lies in, which named pipes do without. */
export function newAddress(platform: NodeJS.Platform = process.platform): { readonly path: string; readonly folder: string | undefined } {
  if (platform === 'win32') return { path: `\\\\.\\pipe\\moe-lab-${randomBytes(16).toString('hex')}`, folder: undefined };
  const folder = mkdtempSync(join(socketParent(tmpdir()), folderPrefix));
  return { path: join(folder, socketName), folder };
}

/**
 * Whether a path looks like one that `newAddress` makes. What stands in a run directory may come from anywhere, and nobody shall be led to
 * talk with another program's socket, or with another machine's pipe. The temporary folder is not compared: a worker may have had another
 * one.
 */
export function isWorkerAddress(path: string, platform: NodeJS.Platform = process.platform): boolean {
  if (platform === 'win32') return /^\\\\\.\\pipe\\moe-lab-[0-9a-f]{32}$/.test(path);
  return isAbsolute(path) && basename(path) === socketName && /^moe-\w{6}$/.test(basename(dirname(path)));
}

/** Removes the socket that a killed worker left. A path that is not one of ours stays untouched: it comes from a file. */
export function discardAddress(path: string): void {
  const folder = dirname(path);
  if (process.platform === 'win32' || !isWorkerAddress(path) || dirname(folder) !== socketParent(tmpdir())) return;
  try {
    rmSync(path, { force: true });
    rmdirSync(folder);
  } catch {
    // Gone already, or not ours to remove.
  }
}
