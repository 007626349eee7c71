import { readFile, writeFile } from 'node:fs/promises';

/** Leaves a file with the same content alone, so that its date says when it was made. */
export async function writeWhereNew(file: string, text: string): Promise<void> {
  const old = await readFile(file, 'utf8').catch(() => undefined);
  if (old !== text) await writeFile(file, text);
}
