import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanEnvironment, root, runOrThrow } from './process.mjs';

/**
 * Whether node_modules holds what package-lock.json asks for. npm writes node_modules/.package-lock.json as the last thing of an
 * install, so an interrupted one is seen as missing, and one made by hand counts.
 */
export function isInstalled(folder) {
  const hidden = join(folder, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const wanted = JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')).packages;
  const present = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || entry.link) return true;
    // Optional packages are for other platforms, or their absence is tolerated.
    if (present[path] === undefined) return entry.optional === true || entry.devOptional === true || entry.peer === true;
    return present[path].version === entry.version;
  });
}

/** `npm ci` where node_modules does not hold what package-lock.json asks for. */
export async function ensureDependencies(log = console.log) {
  if (isInstalled(root)) return;
  log('Installing dependencies (npm ci) ...');
  // The runtime's postinstall downloads CUDA libraries, which nothing here needs.
  await runOrThrow('npm', ['ci', '--ignore-scripts'], { env: cleanEnvironment({ ONNXRUNTIME_NODE_INSTALL: 'skip' }) });
}
