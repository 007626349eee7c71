/**
 * Installs what is missing, builds, and runs every test; a part that fails does not keep the others from running. The last line is
 * `N passed, N failed`.
 *
 *   npm test                              everything
 *   npm test -- --only unit,lint          some parts: types, lint, format, imports, unit, package, e2e ...
 *   npm test -- --only e2e reload         vitest parts: only the test files whose path contains "reload"
 *   npm test -- --only oldest             the end-to-end tests in the oldest VS Code that package.json promises; runs by name only
 *   npm test -- --only robustness         ten thousand mutated configs in place of some; MOE_LAB_SEED draws others; runs by name only
 */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureDependencies } from './support/dependencies.mjs';
import { nodeProgram, root, run } from './support/process.mjs';
import { packageExtension } from './package.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'moe-lab-test-'));
const program = (...path) => [process.execPath, nodeProgram(...path)];
const tsc = program('typescript', 'bin', 'tsc');

/** A program that says nothing new when all is well: one test. */
function check(...commandLine) {
  return async () => {
    const [command, ...args] = commandLine.flat();
    const { code, stdout, stderr } = await run(command, args, { quiet: true });
    if (code !== 0) console.log(`${stdout}${stderr}`.trimEnd());
    return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: [] };
  };
}

/** A vitest configuration: as many tests as it has. */
function vitest(config) {
  return async (filters) => {
    const tallyFile = join(scratch, `${config}.json`);
    const reporters = ['--reporter', 'default', '--reporter', join(root, 'scripts', 'support', 'tallyReporter.mjs')];
    const [command, ...args] = [...program('vitest', 'vitest.mjs'), 'run', '--config', config, ...reporters, ...filters];
    const { code } = await run(command, args, { env: { ...process.env, MOE_LAB_TALLY: tallyFile } });
    const tally = existsSync(tallyFile) ? JSON.parse(readFileSync(tallyFile, 'utf8')) : { passed: 0, failed: 0, skipped: [] };
    // Whatever else made it end badly must not be lost.
    if (code !== 0 && tally.failed === 0) tally.failed = 1;
    return tally;
  };
}

/** The package is made once; its own checks and the end-to-end tests take it as it is. */
async function packaged(part, filters) {
  process.env.MOE_LAB_VSIX ??= await packageExtension();
  return part(filters);
}

const packageSpecs = vitest('vitest.package.config.mts');
const endToEndSpecs = vitest('vitest.e2e.config.mts');

const parts = {
  build: check(process.execPath, join(root, 'esbuild.mjs')),
  types: check(tsc, '--noEmit', '-p', 'tsconfig.json'),
  'webview types': check(tsc, '--noEmit', '-p', 'webview/tsconfig.json'),
  'e2e types': check(tsc, '--noEmit', '-p', 'test/e2e/tsconfig.json'),
  lint: check(program('eslint', 'bin', 'eslint.js'), '.'),
  format: check(program('prettier', 'bin', 'prettier.cjs'), '--check', '.'),
  imports: check(program('dependency-cruiser', 'bin', 'dependency-cruise.mjs'), '--config', '.dependency-cruiser.cjs', 'src', 'webview'),
  unit: vitest('vitest.config.mts'),
  package: (filters) => packaged(packageSpecs, filters),
  e2e: (filters) => packaged(endToEndSpecs, filters),
  oldest: (filters) => {
    process.env.MOE_LAB_WORKBENCH = 'oldest';
    return packaged(endToEndSpecs, filters);
  },
  robustness: () => {
    process.env.MOE_LAB_DOCUMENTS ??= '10000';
    return vitest('vitest.config.mts')(['test/language/robustness.test.ts']);
  },
};

/** Parts that `npm test` leaves out: they are run by name. */
const byNameOnly = ['oldest', 'robustness'];

async function main() {
  const { values, positionals } = parseArgs({ options: { only: { type: 'string' } }, allowPositionals: true });
  const wanted = values.only?.split(',');
  const unknown = wanted?.filter((name) => !(name in parts)) ?? [];
  if (unknown.length > 0) {
    console.error(`There is no part ${unknown.join(', ')}. Parts: ${Object.keys(parts).join(', ')}.`);
    return 2;
  }
  await ensureDependencies();
  const total = { passed: 0, failed: 0, skipped: [] };
  const summary = [];
  for (const [name, part] of Object.entries(parts)) {
    if (wanted ? !wanted.includes(name) : byNameOnly.includes(name)) continue;
    console.log(`\n== ${name}`);
    const started = Date.now();
    let tally;
    try {
      tally = await part(positionals);
    } catch (error) {
      console.log(error instanceof Error ? error.message : error);
      tally = { passed: 0, failed: 1, skipped: [] };
    }
    total.passed += tally.passed;
    total.failed += tally.failed;
    total.skipped.push(...tally.skipped);
    const seconds = ((Date.now() - started) / 1000).toFixed(0);
    summary.push(
      `${tally.failed === 0 ? 'ok    ' : 'FAILED'} ${name.padEnd(14)} ${tally.passed} passed, ${tally.failed} failed (${seconds} s)`,
    );
  }
  console.log(`\n${summary.join('\n')}`);
  if (total.skipped.length > 0) {
    console.log(`\n${total.skipped.length} skipped:`);
    for (const { name, reason } of total.skipped) console.log(`  ${name}: ${reason}`);
  }
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 && total.passed > 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
