import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import type { ReadText } from './configFile';

/** Far above any config; a longer file is none, and would only be slow to refuse. */
const maximumBytes = 8 << 20;

/**
 * Undefined for a file that is not there, cannot be read, or is no file of sensible length: a config may name a device or a pipe, which
 * would never end. A byte order mark is left out.
 */
export const readTextFromDisk: ReadText = (file) => {
  let descriptor: number | undefined;
  try {
    // Without O_NONBLOCK (which Windows does not have) already the opening of a pipe would wait for its other end.
    descriptor = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const found = fstatSync(descriptor);
    if (!found.isFile() || found.size > maximumBytes) return undefined;
    return readFileSync(descriptor, 'utf8').replace(/^\uFEFF/, '');
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
};
