/**
 * Opens a real VS Code in the browser, with this extension and a sample workspace. Ctrl-C ends it; runs that are still training go on,
 * as they do when a window closes.
 *
 *   npm run try -- [--no-open] [--port N] [--folder DIR]
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { packageExtension } from './package.mjs';
import { installExtensions, startCodeServer } from './support/codeServer.mjs';
import { ensureDependencies } from './support/dependencies.mjs';
import { root, which } from './support/process.mjs';
import { ensureWorkbench } from './workbench.mjs';

const home = join(root, '.try');

/** Writes what *Create Sample Experiment* writes, with the same code. Files that are there already stay as they are. */
async function writeSample(folder) {
  const { build } = await import('esbuild');
  const scratch = mkdtempSync(join(tmpdir(), 'moe-lab-sample-'));
  try {
    const outfile = join(scratch, 'sample.cjs');
    const entry = join(root, 'src', 'data', 'sampleWorkspace.ts');
    await build({ entryPoints: [entry], outfile, bundle: true, platform: 'node', format: 'cjs', logLevel: 'error' });
    await createRequire(import.meta.url)(outfile).writeSampleWorkspace(folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function openBrowser(url) {
  const opener = process.platform === 'darwin' ? 'open' : process.platform === 'win32' ? 'explorer' : 'xdg-open';
  // On a machine without a screen there is nothing to open.
  const hasScreen = process.platform !== 'linux' || process.env.DISPLAY || process.env.WAYLAND_DISPLAY;
  if (!hasScreen || (process.platform !== 'win32' && !which(opener))) return;
  spawn(opener, [url], { stdio: 'ignore', detached: true })
    .on('error', () => undefined)
    .unref();
}

const { values } = parseArgs({
  options: { 'no-open': { type: 'boolean', default: false }, port: { type: 'string' }, folder: { type: 'string' } },
});
await ensureDependencies();
const workbench = await ensureWorkbench();
mkdirSync(home, { recursive: true });
console.log('Packaging the extension ...');
const vsix = await packageExtension({ file: join(home, 'moe-lab.vsix') });
const extensions = join(home, 'extensions');
rmSync(extensions, { recursive: true, force: true });
await installExtensions(workbench, { folder: home, extensions, vsix: [vsix] });
const workspace = values.folder === undefined ? join(home, 'workspace') : resolve(values.folder);
if (values.folder === undefined) await writeSample(workspace);

const settings = { 'security.workspace.trust.enabled': values.folder !== undefined, 'workbench.startupEditor': 'none' };
const port = values.port === undefined ? {} : { port: Number(values.port) };
const server = await startCodeServer(workbench, { folder: home, extensions, settings, ...port });
const url = `${server.url}/?folder=${encodeURIComponent(workspace)}`;
console.log(`\nVS Code with MoE Lab and a sample workspace: ${url}`);
console.log('Open smoe.moe.yaml or mh-moe.moe.yaml, then "MoE Lab: Start Run" (F1). Ctrl-C here ends it.\n');
if (!values['no-open']) openBrowser(url);

let stopping = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (stopping) return;
    stopping = true;
    void server.stop();
  });
}
await server.exited;
process.exitCode = stopping ? 0 : 1;
