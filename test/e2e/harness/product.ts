import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { inject } from 'vitest';

/** The folder of the installed extension: what the package unpacked to. */
export function extensionFolder(): string {
  const name = readdirSync(inject('extensions')).find((folder) => folder.startsWith('moe-lab.moe-lab-'));
  if (!name) throw new Error(`The extension is not installed in ${inject('extensions')}.`);
  return join(inject('extensions'), name);
}

export interface CommandLineResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the packaged `moe-lab` on this Node. */
export function moeLab(cwd: string, ...args: readonly string[]): Promise<CommandLineResult> {
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [join(extensionFolder(), 'dist', 'cli.js'), ...args],
      { cwd, maxBuffer: 2 ** 26 },
      (error, stdout, stderr) => {
        const code = error ? (typeof error.code === 'number' ? error.code : 1) : 0;
        resolve({ code, stdout, stderr });
      },
    );
  });
}
