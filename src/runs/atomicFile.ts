import { closeSync, ftruncateSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { asStorageError } from './storageError';

/**
 * Replaces a JSON file so that a reader sees the old or the new text, never a mixture: written aside, then renamed.
 * On a full disk the text goes over the old one in place, where blocks exist already: a run must be able to say that the disk is full.
 * A reader that meets the moment in between finds text that is not JSON and reads again.
 */
export function replaceJson(file: string, value: unknown): void {
  const text = `${JSON.stringify(value, null, 2)}\n`;
  const aside = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(aside, text);
    renameSync(aside, file);
  } catch (error) {
    rmSync(aside, { force: true });
    if (!isOutOfSpace(error)) throw asStorageError(error, file);
    try {
      overwrite(file, text);
    } catch {
      throw asStorageError(error, file);
    }
  }
}

function overwrite(file: string, text: string): void {
  const descriptor = openSync(file, 'r+');
  try {
    const bytes = Buffer.from(text);
    for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written, bytes.length - written, written);
    ftruncateSync(descriptor, bytes.length);
  } finally {
    closeSync(descriptor);
  }
}

function isOutOfSpace(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
