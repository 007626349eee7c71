import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageExtension } from '../../scripts/package.mjs';
import { ensureChromium } from '../../scripts/support/chromium.mjs';
import { installExtensions } from '../../scripts/support/codeServer.mjs';
import { nodeProgram, root, runOrThrow } from '../../scripts/support/process.mjs';
import { ensureWorkbench } from '../../scripts/workbench.mjs';

const work = join(root, 'test', 'e2e', '.work');

const digest = (files) => files.reduce((hash, file) => hash.update(readFileSync(file)), createHash('sha256')).digest('hex');

/** Packages the extension that asks questions for the tests. */
async function packageProbe() {
  const probe = join(root, 'test', 'e2e', 'probe');
  const vsix = join(work, 'probe.vsix');
  const options = ['--out', vsix, '--allow-missing-repository', '--skip-license', '--no-dependencies'];
  await runOrThrow(process.execPath, [nodeProgram('@vscode', 'vsce', 'vsce'), 'package', ...options], { cwd: probe });
  return vsix;
}

/** Everything that all suites share: the workbench, a browser, and an extensions folder with the package and the probe. */
export async function setup(project) {
  mkdirSync(work, { recursive: true });
  const workbench = await ensureWorkbench();
  const chromium = await ensureChromium();
  const product = process.env.MOE_LAB_VSIX ?? (await packageExtension());
  const vsix = [product, await packageProbe()];
  const extensions = join(work, 'extensions');
  const stamp = join(extensions, '.installed');
  const wanted = digest([
    product,
    ...readdirSync(join(root, 'test', 'e2e', 'probe')).map((name) => join(root, 'test', 'e2e', 'probe', name)),
  ]);
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
    rmSync(extensions, { recursive: true, force: true });
    await installExtensions(workbench, { folder: work, extensions, vsix });
    writeFileSync(stamp, wanted);
  }
  project.provide('workbench', workbench);
  project.provide('chromium', chromium);
  project.provide('extensions', extensions);
  project.provide('work', work);
  project.provide('vsix', product);
}
