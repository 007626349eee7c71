import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, inject, test } from 'vitest';
import { readZip } from './zipArchive';

declare module 'vitest' {
  interface ProvidedContext {
    /** Path of the packaged extension. */
    package: string;
  }
}

const MEBIBYTE = 2 ** 20;
/** The runtime's native library is nearly all of it. */
const PACKAGE_BUDGET = 30 * MEBIBYTE;
/** Our own code, minified: every bundle together. */
const BUNDLES_BUDGET = 4 * MEBIBYTE;
/** What everybody who opens a YAML file pays. */
const ENTRY_BUDGET = 16 * 1024;

const entries = readZip(inject('package'));
const names = entries.map(({ name }) => name);
const text = (name: string): string => {
  const entry = entries.find((candidate) => candidate.name === name);
  if (!entry) throw new Error(`${name} is not in the package`);
  return entry.read().toString('utf8');
};
const bundles = entries.filter(({ name }) => /^extension\/dist\/.*\.(js|css)$/.test(name));
const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0);

describe('what ships', () => {
  test('the bundles, the manifest, the readme and the licences', () => {
    for (const name of ['package.json', 'readme.md', 'changelog.md', 'THIRD-PARTY-NOTICES.txt', 'dist/extension.js', 'dist/main.js']) {
      expect(names).toContain(`extension/${name}`);
    }
    expect(names.filter((name) => /^extension\/LICENSE/i.test(name))).toHaveLength(1);
  });

  test('every file and folder of media/ that the bundles name', () => {
    const named = bundles.flatMap((bundle) =>
      [
        ...bundle
          .read()
          .toString('utf8')
          .matchAll(/"media",\s*"([\w.-]+)"/g),
      ].map((match) => match[1]),
    );
    expect(named.length).toBeGreaterThan(0);
    const ships = (name: string): boolean => names.some((file) => file === name || file.startsWith(`${name}/`));
    expect(named.filter((name) => !ships(`extension/media/${name}`))).toEqual([]);
  });

  test('the page of every rule', () => {
    const pages = readdirSync(join(__dirname, '..', '..', 'media', 'rules'));
    expect(pages.length).toBeGreaterThan(100);
    expect(pages.filter((page) => !names.includes(`extension/media/rules/${page}`))).toEqual([]);
  });

  test('a readme that needs no file of the repository', () => {
    const targets = [...text('extension/readme.md').matchAll(/\]\(([^)]*)\)/g)].map((match) => match[1]);
    expect(targets.filter((target) => target !== undefined && !/^https?:/.test(target))).toEqual([]);
  });

  test('every file that the manifest names', () => {
    const manifest = text('extension/package.json');
    const files = [...manifest.matchAll(/"(?:\.\/)?((?:media|dist)\/[^"]+)"/g)].map((match) => `extension/${match[1]}`);
    expect(files.length).toBeGreaterThan(3);
    expect(files.filter((file) => !names.includes(file))).toEqual([]);
  });

  test('the native runtime of one platform, and only that', () => {
    const platforms = new Set(
      names.flatMap((name) => /^extension\/node_modules\/onnxruntime-node\/bin\/napi-v6\/([^/]+\/[^/]+)\//.exec(name)?.[1] ?? []),
    );
    expect([...platforms]).toEqual([`${process.platform}/${process.arch}`]);
    const natives = names.filter((name) => /\.(node|dll|dylib|so(\.\d+)*)$/.test(name));
    expect(natives.every((name) => name.includes(`/${process.platform}/${process.arch}/`))).toBe(true);
    expect(text('extension.vsixmanifest')).toContain(`TargetPlatform="${process.platform}-${process.arch}"`);
  });

  test('the runtime loads from the unpacked package alone', () => {
    const folder = mkdtempSync(join(tmpdir(), 'moe-lab-vsix-'));
    try {
      for (const entry of entries.filter(({ name }) => name.startsWith('extension/node_modules/'))) {
        const file = join(folder, entry.name);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, entry.read());
      }
      const script = "console.log(Object.keys(require('onnxruntime-node')).includes('InferenceSession'))";
      const env = { ...process.env, ORT_DISABLE_TELEMETRY: '1' };
      const said = execFileSync(process.execPath, ['-e', script], { cwd: join(folder, 'extension'), env, encoding: 'utf8' });
      expect(said.trim()).toBe('true');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('what stays at home', () => {
  test('sources, tests, source maps, scripts and development dependencies', () => {
    const strangers = names.filter((name) => /\.map$|\.tsx?$|^extension\/(src|test|webview|scripts|bench|reproduce|docs|out)\//.test(name));
    expect(strangers).toEqual([]);
    const modules = new Set(names.flatMap((name) => /^extension\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(name)?.[1] ?? []));
    expect([...modules].sort()).toEqual(['onnxruntime-common', 'onnxruntime-node']);
    const manifest = JSON.parse(text('extension/package.json')) as Record<string, unknown>;
    expect(Object.keys(manifest)).not.toContain('devDependencies');
    expect(Object.keys(manifest)).not.toContain('scripts');
  });

  test('React, which the toolkit names as a peer', () => {
    const marks = ['Symbol.for("react.element")', "Symbol.for('react.element')", '__SECRET_INTERNALS_DO_NOT_USE'];
    const withReact = bundles.filter((entry) => marks.some((mark) => entry.read().includes(mark)));
    expect(withReact.map(({ name }) => name)).toEqual([]);
  });

  test('paths of the machine that built it, and references to source maps', () => {
    const home = join(import.meta.dirname, '..', '..');
    const revealing = bundles.filter((entry) => {
      const content = entry.read();
      return content.includes(home) || content.includes('sourceMappingURL=');
    });
    expect(revealing.map(({ name }) => name)).toEqual([]);
  });
});

test('it stays within its size budgets', () => {
  const size = statSync(inject('package')).size;
  const bundled = sum(bundles.map((entry) => entry.size));
  const entry = entries.find(({ name }) => name === 'extension/dist/extension.js');
  const rows = bundles.map(({ name, size: bytes }) => `  ${name.replace('extension/', '')} ${(bytes / 1024).toFixed(1)} KiB`);
  console.log(
    [
      `package ${(size / MEBIBYTE).toFixed(1)} of at most ${PACKAGE_BUDGET / MEBIBYTE} MiB`,
      `bundles ${(bundled / MEBIBYTE).toFixed(2)} of at most ${BUNDLES_BUDGET / MEBIBYTE} MiB`,
      ...rows,
    ].join('\n'),
  );
  expect(size).toBeLessThan(PACKAGE_BUDGET);
  expect(bundled).toBeLessThan(BUNDLES_BUDGET);
  expect(entry?.size).toBeLessThan(ENTRY_BUDGET);
});
