import { stat } from 'node:fs/promises';
import { relative, resolve, sep } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { type ConfigPath, DataError } from './dataError';

/**
 * The absolute paths of the files that `patterns` name, relative to `folder`. Patterns keep their order and the files of one pattern
 * are sorted by path (by code unit, with `/` on every platform), each file once: the same files give the same corpus everywhere.
 * A pattern that is the exact path of a file is that file, even if it holds glob characters.
 */
export async function resolveFiles(patterns: readonly string[], folder: string, configPath: ConfigPath): Promise<string[]> {
  const files = new Set<string>();
  for (const [index, pattern] of patterns.entries()) {
    for (const file of await matches(pattern, folder, [...configPath, index])) files.add(file);
  }
  return [...files];
}

async function matches(pattern: string, folder: string, configPath: ConfigPath): Promise<string[]> {
  const exact = resolve(folder, pattern);
  const found = await stat(exact).catch(() => undefined);
  if (found?.isFile()) return [exact];
  if (found?.isDirectory()) {
    throw new DataError(
      `"${pattern}" is a folder.`,
      `Name the files in it, for example "${pattern.replace(/\/+$/, '')}/**/*.txt".`,
      configPath,
    );
  }
  if (!isDynamicPattern(pattern)) {
    throw new DataError(
      `There is no file "${pattern}" in ${folder}.`,
      pattern.startsWith('~')
        ? 'Write the whole path: "~" is a name like any other here.'
        : 'Check the path: it is relative to the folder of the config file.',
      configPath,
    );
  }
  const files = await glob(pattern, { cwd: folder, absolute: true, onlyFiles: true, expandDirectories: false });
  if (files.length === 0) {
    throw new DataError(
      `No file matches "${pattern}" in ${folder}.`,
      'Check the pattern: it is relative to the folder of the config file; "**" goes through subfolders.',
      configPath,
    );
  }
  const portable = (file: string) => relative(folder, file).split(sep).join('/');
  return files.map((file) => resolve(file)).sort((a, b) => compareCodeUnits(portable(a), portable(b)));
}

/** Not localeCompare: the order must not depend on the machine's language. */
function compareCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
