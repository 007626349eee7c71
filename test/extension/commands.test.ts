import { join } from 'node:path';
import { build } from 'esbuild';
import type { Metafile } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { presets } from '../../src/config/presets/catalogue';
import { freeName } from '../../src/extension/commands/freeName';
import { presetItems } from '../../src/extension/commands/presetItems';

describe('the list of presets', () => {
  it('has each preset once, under the heading of its paper', () => {
    let heading = '';
    const listed: string[] = [];
    for (const item of presetItems(presets)) {
      if ('paper' in item) heading = item.paper;
      else {
        expect(item.preset.paper).toBe(heading);
        listed.push(item.description);
      }
    }
    expect(listed).toEqual(presets.map(({ id }) => id));
  });
});

describe('a free name', () => {
  it('is the one asked for, or the first number that is free', () => {
    const taken = (names: readonly string[]) => (name: string) => names.includes(name);
    expect(freeName('a', taken([]))).toBe('a');
    expect(freeName('a', taken(['a', 'a-2']))).toBe('a-3');
  });
});

it('the extension starts without the presets: only the command for them loads them', async () => {
  const { metafile } = await build({
    absWorkingDir: join(import.meta.dirname, '../..'),
    entryPoints: ['src/extension/main.ts'],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'cjs',
    external: ['vscode', 'onnxruntime-node'],
    logLevel: 'silent',
  });
  const presetFiles = (files: Iterable<string>): string[] => [...files].filter((file) => file.startsWith('src/config/presets/'));
  expect(presetFiles(Object.keys(metafile.inputs)).length).toBeGreaterThan(5);
  expect(presetFiles(loadedAtStart(metafile, 'src/extension/main.ts'))).toEqual([]);
});

/** Every file that is evaluated with the first one. */
function loadedAtStart({ inputs }: Metafile, first: string): Set<string> {
  const loaded = new Set<string>();
  const queue = [first];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (loaded.has(file)) continue;
    loaded.add(file);
    queue.push(...(inputs[file]?.imports ?? []).filter(({ kind }) => kind !== 'dynamic-import').map(({ path }) => path));
  }
  return loaded;
}
