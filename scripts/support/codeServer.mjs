import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { cleanEnvironment, runOrThrow } from './process.mjs';

/** Settings that keep a fresh VS Code quiet: nothing opens, asks or reports by itself. */
export const quietSettings = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'git.enabled': false,
  'security.workspace.trust.enabled': false,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'update.showReleaseNotes': false,
  'window.restoreWindows': 'all',
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.settings.enableNaturalLanguageSearch': false,
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
};

/** A port that is free now. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** The server gets a home of its own, so that neither a person's VS Code nor earlier runs leak in, and nothing leaks out. */
function environment(folder, extra) {
  const home = join(folder, 'home');
  mkdirSync(home, { recursive: true });
  const kept = Object.entries(cleanEnvironment()).filter(([name]) => !/^(VSCODE_|NODE_OPTIONS$|ELECTRON_|VITEST|NODE_ENV$)/.test(name));
  return {
    ...Object.fromEntries(kept),
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_DATA_HOME: join(home, '.local', 'share'),
    XDG_CACHE_HOME: join(home, '.cache'),
    ...extra,
  };
}

/** Installs packaged extensions into an extensions folder that servers can share. `folder` holds the installer's own data. */
export async function installExtensions(workbench, { folder, extensions, vsix }) {
  const install = vsix.flatMap((file) => ['--install-extension', file, '--force']);
  const args = ['--accept-server-license-terms', '--server-data-dir', join(folder, 'data'), '--extensions-dir', extensions, ...install];
  await runOrThrow(workbench.node, [workbench.server, ...args], { env: environment(folder, {}), cwd: folder });
}

async function answers(url) {
  try {
    return (await fetch(`${url}/version`)).ok;
  } catch {
    return false;
  }
}

/**
 * Starts VS Code's server on 127.0.0.1 without a token and waits until it answers.
 * @returns {Promise<{ url: string, port: number, pid: number, exited: Promise<void>, stop(): Promise<void> }>}
 */
export async function startCodeServer(workbench, { folder, extensions, port, settings = {}, env = {} }) {
  const data = join(folder, 'data');
  mkdirSync(join(data, 'data', 'User'), { recursive: true });
  writeFileSync(join(data, 'data', 'User', 'settings.json'), JSON.stringify({ ...quietSettings, ...settings }, undefined, 2));
  const chosen = port ?? (await freePort());
  const address = ['--host', '127.0.0.1', '--port', String(chosen), '--without-connection-token'];
  const options = ['--accept-server-license-terms', '--server-data-dir', data, '--extensions-dir', extensions, '--disable-telemetry'];
  const child = spawn(workbench.node, [workbench.server, ...address, ...options], {
    cwd: folder,
    env: environment(folder, env),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A process group of its own: ending it ends the extension hosts too.
    detached: process.platform !== 'win32',
  });
  const log = createWriteStream(join(folder, 'server.log'), { flags: 'a' });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  let running = true;
  const exited = new Promise((resolve) => child.on('exit', resolve)).then(() => {
    running = false;
  });
  const signal = (name) => {
    try {
      process.kill(process.platform === 'win32' ? child.pid : -child.pid, name);
    } catch {
      // Gone already.
    }
  };
  const stop = async () => {
    signal('SIGTERM');
    const late = setTimeout(() => signal('SIGKILL'), 3000);
    await exited;
    clearTimeout(late);
    // What the leader left of its group.
    signal('SIGKILL');
  };
  const url = `http://127.0.0.1:${chosen}`;
  for (let attempt = 0; !(await answers(url)); attempt++) {
    if (!running || attempt > 300) {
      await stop();
      throw new Error(`VS Code's server did not start. Its output is in ${join(folder, 'server.log')}.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { url, port: chosen, pid: child.pid, exited, stop };
}
