import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { runFiles } from '../runs/runFiles';
import { RunIndex } from '../runs/runIndex';
import { WrongUse, type OptionValues } from './command';

/**
 * `--runs DIR`, or the `.moe-lab/runs` that the working directory or the nearest folder above it already has, so that a command in a
 * subfolder finds the runs that the editor shows; else `.moe-lab/runs` in the working directory.
 */
export function runsDirectoryOf(values: OptionValues, cwd: string): string {
  const given = values['runs'];
  if (typeof given === 'string') return resolve(cwd, given);
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const runs = join(folder, '.moe-lab', 'runs');
    if (existsSync(runs)) return runs;
    if (folder === dirname(folder)) return join(resolve(cwd), '.moe-lab', 'runs');
  }
}

/**
 * The directory of the run that RUN names: a path, an id, or the beginning or end of one. Throws WrongUse where it names none, or several.
 */
export async function findRun(name: string, runsDirectory: string, cwd: string): Promise<string> {
  const path = resolve(cwd, name);
  if (existsSync(runFiles.description(path))) return path;
  const ids = (await new RunIndex(runsDirectory).refresh()).map((run) => run.id);
  const matching = ids.includes(name) ? [name] : ids.filter((id) => id.startsWith(name) || id.endsWith(name));
  const [only, ...others] = matching;
  if (only === undefined) throw new WrongUse(`There is no run ${name} in ${runsDirectory}; \`moe-lab runs\` lists them.`);
  if (others.length > 0) throw new WrongUse(`${name} may mean ${matching.join(' or ')}; write more of it.`);
  return join(runsDirectory, only);
}

/** The one RUN of commands that take exactly one. */
export function oneRun(positionals: readonly string[], command: string): string {
  const [run, ...others] = positionals;
  if (run === undefined || others.length > 0)
    throw new WrongUse(`Name one run, as in moe-lab ${command} RUN; \`moe-lab runs\` lists them.`);
  return run;
}
