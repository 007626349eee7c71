/**
 * Bundles a benchmark and runs it:
 *   npm run bench -- [--rounds N] [--size s|m] [--threads N] [--no-profile]   tokens per second of whole models
 *   npm run bench -- peer [--rounds N] [--threads N]                          a PEER layer of up to a million experts
 *   npm run bench -- editing [--rounds N]                                     what an editor costs while a config is written
 *   npm run bench -- peer-train --data FILE... [--steps N] [--experts N]      a model of a million experts on text: stopped, resumed, evaluated
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const entries = { editing: 'bench/editing.ts', peer: 'bench/peer.ts', 'peer-train': 'bench/peerTraining.ts' };
const [first, ...rest] = process.argv.slice(2);
const named = Object.hasOwn(entries, first ?? '');
const entry = named ? entries[first] : 'bench/bench.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
// Of its own for each process: another one may still be running from its folder. Inside node_modules, where the runtime is found.
const folder = join(root, 'node_modules/.cache/moe-lab-bench', String(process.pid));
const outfile = join(folder, 'bench.cjs');
await build({
  absWorkingDir: root,
  entryPoints: [entry],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: ['onnxruntime-node'],
  supported: { 'dynamic-import': false },
  // As in esbuild.mjs: dependencies that come as ES modules ask where they are.
  define: { 'import.meta.url': 'importMetaUrl' },
  banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  logLevel: 'error',
});
// Large pages, as a worker has them (src/worker/ladder.ts).
const env = { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1', ...process.env };
const { status } = spawnSync(process.execPath, [outfile, ...(named ? rest : process.argv.slice(2))], { stdio: 'inherit', env });
rmSync(folder, { recursive: true, force: true });
process.exitCode = status ?? 1;
