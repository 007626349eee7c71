import { realpath, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { glob } from 'tinyglobby';
import { WrongUse } from '../command';

/**
 * The configs that files and folders name, absolute, each once; those of a folder sorted, by one of their names where links give them more.
 * A file is taken whatever it is called, and need not be there.
 */
export async function configFiles(named: readonly string[], cwd: string): Promise<readonly string[]> {
  const files: string[] = [];
  for (const name of named) files.push(...(await filesIn(name, resolve(cwd, name))));
  return [...new Set(files)];
}

async function filesIn(name: string, path: string): Promise<readonly string[]> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return [path];
  const files = await glob('**/*.moe.yaml', {
    cwd: path,
    absolute: true,
    onlyFiles: true,
    expandDirectories: false,
    ignore: ['**/node_modules/**', '**/.*/**'],
  });
  if (files.length === 0) throw new WrongUse(`There is no *.moe.yaml in ${name}.`);
  return await withoutLinks(files.map((file) => resolve(file)).toSorted());
}

/** Of several names of one file the shortest: a link to a folder above shows all of it once more. */
async function withoutLinks(files: readonly string[]): Promise<readonly string[]> {
  const names = new Map<string, string>();
  for (const file of files) {
    const real = await realpath(file).catch(() => file);
    const known = names.get(real);
    if (known === undefined || file.length < known.length) names.set(real, file);
  }
  return [...names.values()].toSorted();
}
