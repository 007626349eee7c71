/**
 * Bundles the reproductions and runs one: `npm run reproduce -- mh-moe-small --data DIR`, `... switchhead-small --data DIR`, `...
 * sample-floor`; without arguments it says what there is. Stopped with Ctrl-C or killed, the same command goes on where it was.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { ensureDependencies } from '../scripts/support/dependencies.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
await ensureDependencies();
// Of its own for each process: another one may still be running from its folder. Inside node_modules, where the runtime is found.
const folder = join(root, 'node_modules/.cache/moe-lab-reproduce', String(process.pid));
await build({
  absWorkingDir: root,
  entryPoints: { reproduce: 'reproduce/main.ts', engineThread: 'src/engine/threaded/threadEntry.ts' },
  outdir: folder,
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
// The program below answers Ctrl-C itself, with checkpoints.
process.on('SIGINT', () => undefined);
const { status } = spawnSync(process.execPath, [join(folder, 'reproduce.js'), ...process.argv.slice(2)], { stdio: 'inherit', cwd: root });
rmSync(folder, { recursive: true, force: true });
process.exitCode = status ?? 1;
