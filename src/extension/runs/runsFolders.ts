import { join } from 'node:path';
import type { RunsFolder } from './runStore';

export interface WorkspaceFolder {
  readonly name: string;
  /** Absolute path. */
  readonly path: string;
}

/**
 * Where runs lie: the setting's folder for all of them, or `.moe-lab/runs` in each workspace folder.
 * `configured` is the value of `moeLab.runsDirectory`, empty where it is not set.
 */
export function collectRunsFolders(folders: readonly WorkspaceFolder[], configured: string): RunsFolder[] {
  if (configured !== '') return [{ label: configured, runsDirectory: configured }];
  return folders.map(({ name, path }) => ({ label: name, runsDirectory: join(path, '.moe-lab', 'runs') }));
}

/** The runs folder for a config: of the innermost workspace folder that holds it, else beside it. */
export function runsFolderFor(configFolder: string, folders: readonly WorkspaceFolder[], configured: string): string {
  if (configured !== '') return configured;
  const holds = ({ path }: WorkspaceFolder): boolean =>
    configFolder === path ||
    configFolder.startsWith(path.endsWith('/') || path.endsWith('\\') ? path : `${path}${path.includes('\\') ? '\\' : '/'}`);
  const holder = folders.filter(holds).sort((one, other) => other.path.length - one.path.length)[0];
  return join(holder?.path ?? configFolder, '.moe-lab', 'runs');
}
