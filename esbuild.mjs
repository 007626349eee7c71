/**
 * Bundles every entry point into dist/. An entry whose source is absent is skipped.
 *
 *   node esbuild.mjs            release: minified, no source maps
 *   node esbuild.mjs --dev      readable, with source maps
 *   node esbuild.mjs --watch    like --dev, and again at every change
 *   node esbuild.mjs --outdir D elsewhere than dist/
 *   node esbuild.mjs --quiet    only warnings and errors
 */
import { existsSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, context } from 'esbuild';

const root = dirname(fileURLToPath(import.meta.url));
const flags = process.argv.slice(2);
const watch = flags.includes('--watch');
const development = watch || flags.includes('--dev');
const outputFolder = flags.includes('--outdir') ? resolve(flags[flags.indexOf('--outdir') + 1]) : join(root, 'dist');

/** Programs that run in Node: the extension host, the command line, and the processes and threads they start. */
const nodeEntries = {
  extension: 'src/extension/entry.ts',
  main: 'src/extension/main.ts',
  readerThread: 'src/extension/reader/entry.ts',
  cli: 'src/cli/main.ts',
  quickStart: 'src/cli/quickStart.ts',
  worker: 'src/worker/entry.ts',
  engineThread: 'src/engine/threaded/threadEntry.ts',
  dataThread: 'src/worker/dataThread/dataThreadEntry.ts',
  overlapThread: 'src/worker/overlapThread/overlapThreadEntry.ts',
  probe: 'src/engine/onnx/probeEntry.ts',
  measure: 'src/worker/measureEntry.ts',
};

/** Pages that run in a webview; a stylesheet that an entry imports becomes NAME.css beside NAME.js. */
const webviewEntries = {
  dashboard: 'webview/dashboard/main.ts',
  configEditor: 'webview/configEditor/main.ts',
};

/** Keeps `import('./main')` in the extension's entry a real import: activation reads the small file, and the rest only when needed. */
const lazyMain = {
  name: 'lazy-main',
  setup(builder) {
    builder.onResolve({ filter: /^\.\/main(\.js)?$/ }, ({ importer }) =>
      importer === join(root, nodeEntries.extension) ? { path: './main.js', external: true } : undefined,
    );
  },
};

const present = (entries) => Object.fromEntries(Object.entries(entries).filter(([, source]) => existsSync(join(root, source))));

const common = {
  absWorkingDir: root,
  bundle: true,
  minify: !development,
  sourcemap: development ? 'linked' : false,
  legalComments: 'none',
  logLevel: flags.includes('--quiet') ? 'warning' : 'info',
  charset: 'utf8',
};

const configurations = [
  {
    ...common,
    entryPoints: present(nodeEntries),
    outdir: outputFolder,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    external: ['vscode', 'onnxruntime-node'],
    plugins: [lazyMain],
    // A lazy import becomes a lazy require: in the extension host only `require` knows where `vscode` is.
    supported: { 'dynamic-import': false },
    // Dependencies that come as ES modules ask where they are; in CommonJS that is __filename.
    define: { 'import.meta.url': 'importMetaUrl' },
    banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
  },
  {
    ...common,
    entryPoints: present(webviewEntries),
    outdir: join(outputFolder, 'webview'),
    platform: 'browser',
    format: 'iife',
    target: 'es2022',
    loader: { '.svg': 'text' },
  },
].filter(({ entryPoints }) => Object.keys(entryPoints).length > 0);

if (watch) {
  for (const configuration of configurations) await (await context(configuration)).watch();
} else {
  // What an earlier build left (source maps above all) must not ship.
  rmSync(outputFolder, { recursive: true, force: true });
  await Promise.all(configurations.map((configuration) => build(configuration)));
}
