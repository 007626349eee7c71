import { accessSync, constants } from 'node:fs';
import { posix, win32 } from 'node:path';

export interface PathFacts {
  readonly platform: NodeJS.Platform;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly exists: (file: string) => boolean;
}

/**
 * Where a program lies, by the folders of PATH that are absolute: a workspace has no say in which program is run. Windows by itself would
 * look in the working directory first.
 */
export function programOnPath(name: string, { platform, environment, exists }: PathFacts): string | undefined {
  const { join, isAbsolute, delimiter } = platform === 'win32' ? win32 : posix;
  // Windows spells it Path, and a copy of its environment is case-sensitive.
  const path = Object.entries(environment).find(([key]) => (platform === 'win32' ? key.toUpperCase() === 'PATH' : key === 'PATH'))?.[1];
  return (path ?? '')
    .split(delimiter)
    .filter((folder) => isAbsolute(folder))
    .map((folder) => join(folder, platform === 'win32' ? `${name}.exe` : name))
    .find(exists);
}

/** Whether this process may run a file: on Windows, whether it is there. */
export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
