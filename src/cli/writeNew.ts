import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { WrongUse } from './command';

/** Writes a file that is not there yet. Throws WrongUse where it is, or where its folder is not. */
export function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') throw new WrongUse(`${file} is there already; choose another name.`);
    if (code === 'ENOENT') throw new WrongUse(`There is no folder ${dirname(file)}.`);
    throw error;
  }
}
