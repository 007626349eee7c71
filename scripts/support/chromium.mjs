import { existsSync, readdirSync } from 'node:fs';
import { run, runOrThrow, which } from './process.mjs';

const names = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'microsoft-edge'];
const places = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

/** The Chromium to test with: MOE_LAB_CHROMIUM, or the first one found. */
export function findChromium() {
  const named = process.env.MOE_LAB_CHROMIUM;
  if (named) return existsSync(named) ? named : undefined;
  return names.map(which).find(Boolean) ?? places.find((place) => existsSync(place));
}

function canInstall() {
  return process.platform === 'linux' && process.getuid?.() === 0 && which('apt-get') !== undefined;
}

async function aptInstall(log) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'];
  const lists = '/var/lib/apt/lists';
  const known = existsSync(lists) && readdirSync(lists).some((file) => file.includes('_Packages'));
  // An install that was interrupted leaves packages half configured, which apt refuses to build upon.
  await run('dpkg', ['--configure', '-a'], { env, quiet: true });
  if (known && (await run('apt-get', install, { env, quiet: true })).code === 0) return;
  log('Refreshing the package lists (apt-get update) ...');
  await runOrThrow('apt-get', ['update'], { env });
  await runOrThrow('apt-get', install, { env });
}

/** Finds Chromium, or installs it where this is a Debian and we are root; else an Error says how to get it. */
export async function ensureChromium(log = console.log) {
  const found = findChromium();
  if (found) return found;
  if (canInstall()) {
    log('Installing Chromium (apt-get install chromium) ...');
    await aptInstall(log);
    const installed = findChromium();
    if (installed) return installed;
  }
  throw new Error(
    'No Chromium found. Install Chromium or Chrome (Debian, Ubuntu: sudo apt-get install chromium), or name one in MOE_LAB_CHROMIUM.',
  );
}
