/**
 * Builds the release bundles and packages exactly what ships into out/moe-lab-TARGET-VERSION.vsix:
 * the bundles, media, and the runtime's binaries for one platform.
 *
 *   node scripts/package.mjs [--target linux-x64] [--out FILE]
 */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ensureDependencies } from './support/dependencies.mjs';
import { nodeProgram, root, runOrThrow } from './support/process.mjs';

/** The platforms that VS Code packages are made for and that the runtime has binaries for. */
export const targets = ['linux-x64', 'linux-arm64', 'win32-x64', 'win32-arm64', 'darwin-arm64'];
export const ownTarget = `${process.platform}-${process.arch}`;

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));
const writeJson = (file, value) => writeFileSync(file, `${JSON.stringify(value, undefined, 2)}\n`);

/** What the editor reads of package.json; scripts and development dependencies stay at home. */
function shippedManifest() {
  const manifest = readJson(join(root, 'package.json'));
  const runtime = manifest.dependencies['onnxruntime-node'];
  for (const key of ['private', 'scripts', 'bin', 'devDependencies']) delete manifest[key];
  return {
    ...manifest,
    engines: { vscode: manifest.engines.vscode },
    dependencies: { 'onnxruntime-node': runtime, 'onnxruntime-common': runtime },
  };
}

/** The runtime as it is required at run time: its JavaScript, and the native library of one platform. */
function stageRuntime(stage, target) {
  const [platform, architecture] = target.split('-');
  const withoutMaps = (source) => !/\.(map|d\.ts)$/.test(source);
  for (const name of ['onnxruntime-node', 'onnxruntime-common']) {
    const from = nodeProgram(name);
    const to = join(stage, 'node_modules', name);
    const manifest = readJson(join(from, 'package.json'));
    mkdirSync(to, { recursive: true });
    // What the runtime depends on besides is only for its installer, which does not run here.
    const dependencies = name === 'onnxruntime-node' ? { 'onnxruntime-common': manifest.dependencies['onnxruntime-common'] } : {};
    for (const key of ['scripts', 'devDependencies']) delete manifest[key];
    writeJson(join(to, 'package.json'), { ...manifest, dependencies });
    cpSync(join(from, 'dist'), join(to, 'dist'), { recursive: true, filter: withoutMaps });
  }
  rmSync(join(stage, 'node_modules', 'onnxruntime-common', 'dist', 'esm'), { recursive: true, force: true });
  const binaries = join('onnxruntime-node', 'bin', 'napi-v6', platform, architecture);
  cpSync(nodeProgram(binaries), join(stage, 'node_modules', binaries), { recursive: true });
}

/** The editor shows the README without the repository around it: pictures and links into it would lead nowhere there. */
function shippedReadme() {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  return text.replace(/^!\[[^\]]*\]\((?!https?:)[^)]*\)\n+/gm, '').replace(/\[([^\]]*)\]\((?!https?:|#)[^)]*\)/g, '$1');
}

/** The licences of everything that ships, bundled or beside: each asks for its notice to go along. */
function thirdPartyNotices() {
  const lock = readJson(join(root, 'package-lock.json')).packages;
  const shipped = Object.entries(lock).filter(
    ([path, entry]) => path.startsWith('node_modules/') && !entry.dev && !entry.devOptional && !entry.optional,
  );
  return shipped
    .map(([path, entry]) => {
      const folder = join(root, path);
      const file = existsSync(folder) ? readdirSync(folder).find((name) => /^licen[cs]e/i.test(name)) : undefined;
      const text = file ? readFileSync(join(folder, file), 'utf8').trim() : `Licence: ${entry.license ?? 'see its repository'}`;
      return `${path.replace(/^.*node_modules\//, '')} ${entry.version}\n\n${text}\n`;
    })
    .join(`\n${'-'.repeat(80)}\n\n`);
}

/**
 * @param {{ target?: string, file?: string, log?: (line: string) => void }} [options]
 * @returns {Promise<string>} the path of the package.
 */
export async function packageExtension({ target = ownTarget, file, log = console.log } = {}) {
  if (!targets.includes(target)) throw new Error(`The runtime has no binaries for ${target}. There are: ${targets.join(', ')}.`);
  const { version } = readJson(join(root, 'package.json'));
  const vsix = file ?? join(root, 'out', `moe-lab-${target}-${version}.vsix`);
  const stage = mkdtempSync(join(tmpdir(), 'moe-lab-package-'));
  try {
    await runOrThrow(process.execPath, [join(root, 'esbuild.mjs'), '--outdir', join(stage, 'dist')]);
    for (const name of ['media', 'CHANGELOG.md', 'LICENSE', '.vscodeignore']) {
      if (existsSync(join(root, name))) cpSync(join(root, name), join(stage, name), { recursive: true });
    }
    writeJson(join(stage, 'package.json'), shippedManifest());
    writeFileSync(join(stage, 'README.md'), shippedReadme());
    writeFileSync(join(stage, 'THIRD-PARTY-NOTICES.txt'), thirdPartyNotices());
    stageRuntime(stage, target);
    mkdirSync(dirname(vsix), { recursive: true });
    const vsce = nodeProgram('@vscode', 'vsce', 'vsce');
    const options = ['--target', target, '--out', vsix, '--allow-missing-repository'];
    await runOrThrow(process.execPath, [vsce, 'package', ...options], { cwd: stage });
    log(`${basename(vsix)}: ${(statSync(vsix).size / 2 ** 20).toFixed(1)} MiB`);
    return vsix;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const value = (flag) => (process.argv.includes(flag) ? process.argv[process.argv.indexOf(flag) + 1] : undefined);
  const file = value('--out');
  await ensureDependencies();
  const made = await packageExtension({ target: value('--target') ?? ownTarget, ...(file && { file: resolve(file) }) });
  console.log(made);
}
