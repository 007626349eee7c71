import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '../../..');

const folder = join(root, 'node_modules/.cache/moe-lab-engine-tests', String(process.pid));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

/** Bundles a TypeScript entry as the product does and returns the file's path, from which onnxruntime-node is found. */
export async function bundle(source: string, name: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const outfile = join(folder, `${name}.cjs`);
  await build({
    absWorkingDir: root,
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['onnxruntime-node'],
    supported: { 'dynamic-import': false },
    logLevel: 'error',
  });
  return outfile;
}
