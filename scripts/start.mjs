/**
 * npm start: installs what is missing, builds, and trains an SMoE and its MH-MoE twin on a sample corpus on the CPU; ends with a table that
 * compares them.
 *
 *   npm start -- [FOLDER] [--steps N]
 */
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { ensureDependencies } from './support/dependencies.mjs';
import { root } from './support/process.mjs';

const [major] = process.versions.node.split('.').map(Number);
if (major < 20) {
  console.error(`MoE Lab needs Node 20 or newer; this is ${process.versions.node}.`);
  process.exit(2);
}

// The program below answers Ctrl-C itself, with a checkpoint.
process.on('SIGINT', () => undefined);

function node(...command) {
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

await ensureDependencies();
node(join(root, 'esbuild.mjs'), '--quiet');
node(join(root, 'dist', 'quickStart.js'), ...process.argv.slice(2));
