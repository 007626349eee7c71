import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { replaceSection } from '../../reproduce/markdown';
import { floorModels } from '../../reproduce/sampleFloor/models';
import { sampleFloor } from '../../reproduce/sampleFloor/sampleFloor';
import { createEngine } from '../../src/engine/onnx/createEngine';

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'moe-floor-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

describe('sample-floor --size tiny', () => {
  it('trains every kind of model and says how far it is above the floor', async () => {
    const { models, floors } = await sampleFloor({
      size: 'tiny',
      folder: scratch,
      engine: () => createEngine('cpu'),
      parallel: 1,
      print: () => undefined,
    });
    expect(models.map(({ name }) => name)).toEqual(floorModels(24, 2, 32).map(({ name }) => name));
    for (const { losses } of models) {
      for (const [kind, { nats }] of Object.entries(floors)) {
        expect(losses?.[kind]).toBeGreaterThan(nats);
        expect(losses?.[kind]).toBeLessThan(Math.log(256) + 0.1);
      }
    }
    const report = await readFile(join(scratch, 'report.md'), 'utf8');
    expect(report).toContain('SMoE, expert choice (**not causal**)');
    expect(report.match(/not causal/g)).toHaveLength(1);
  });
});

describe('a section of a document', () => {
  it('is replaced between its markers, the rest stays', async () => {
    const file = join(scratch, 'results.md');
    await writeFile(file, 'Before\n\n<!-- begin: a -->\nold\n<!-- end: a -->\n\nAfter\n');
    await replaceSection(file, 'a', 'new\n');
    const once = await readFile(file, 'utf8');
    expect(once).toBe('Before\n\n<!-- begin: a -->\n\nnew\n\n<!-- end: a -->\n\nAfter\n');
    await replaceSection(file, 'a', 'new');
    expect(await readFile(file, 'utf8')).toBe(once);
    await expect(replaceSection(file, 'b', 'new')).rejects.toThrow('<!-- begin: b -->');
  });
});
