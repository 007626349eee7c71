import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** The programs as they ship, built for the tests of one file. The folder lies inside the repository, where the runtime is found. */
export function builtBundles(): string {
  const folder = join(root, 'out', `bundles-${process.pid}-${process.env['VITEST_POOL_ID'] ?? '0'}`);
  beforeAll(() => void execFileSync(process.execPath, [join(root, 'esbuild.mjs'), '--quiet', '--outdir', folder], { stdio: 'inherit' }));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
