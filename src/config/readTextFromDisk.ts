import { readFileSync } from 'node:fs';
import type { ReadText } from './configFile';

/** Undefined for a file that is not there or cannot be read; a byte order mark is left out. */
export const readTextFromDisk: ReadText = (file) => {
  try {
    return readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  } catch {
    return undefined;
  }
};
