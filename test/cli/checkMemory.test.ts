import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { keepGpus } from '../../src/runs/machineFile';
import { temporaryFolder } from '../runs/fixtures';
import { runCli } from './runCli';

const text = `model: { d_model: 64, layers: 2, context: 64, attention: { heads: 2 }, ffn: { width: 128 } }
train: { steps: 10, warmup: 1, batch_tokens: 512, micro_batch: 8 }
data: { train: [a.txt] }
engine: { device: webgpu }
`;
const small = { name: 'NVIDIA T4', bytes: 2 ** 20, shared: false };
const large = { name: 'NVIDIA H200', bytes: 2 ** 37, shared: false };

describe('moe-lab check, of memory', () => {
  let folder: string;
  beforeEach(() => {
    folder = temporaryFolder();
    writeFileSync(join(folder, 'gpu.moe.yaml'), text);
    writeFileSync(join(folder, 'cpu.moe.yaml'), text.replace('webgpu', 'cpu'));
  });
  const check = (...args: string[]) => runCli(folder, 'check', 'gpu.moe.yaml', 'cpu.moe.yaml', ...args);
  const clean = { code: 0, stdout: '', stderr: '2 configs: nothing found.\n' };

  it('knows no GPU where nobody has found one', async () => {
    expect(await check()).toEqual(clean);
  });

  it('holds what would be trained on a GPU against the one that was found here, of several the largest', async () => {
    const runs = join(folder, '.moe-lab', 'runs');
    keepGpus(runs, [small]);
    const { code, stdout } = await check();
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^gpu\.moe\.yaml:\d+:\d+: warning memory: Training needs about [\d.]+ MiB of memory on the GPU \(.*\); NVIDIA T4 has 1\.00 MiB\./m,
    );
    expect(stdout).not.toContain('cpu.moe.yaml');
    // Also from a folder below.
    mkdirSync(join(folder, 'below'));
    expect((await runCli(join(folder, 'below'), 'check', '../gpu.moe.yaml')).code).toBe(1);
    keepGpus(runs, [small, large]);
    expect(await check()).toEqual(clean);
    // Another machine's, whose runs are in the same folder.
    keepGpus(runs, [large]);
    keepGpus(runs, [small], 'elsewhere');
    expect(await check()).toEqual(clean);
  });

  it('takes the word of who asks: --device-memory for a GPU elsewhere, --runs for another folder', async () => {
    const runs = join(folder, 'scratch');
    keepGpus(runs, [small]);
    expect(await check()).toEqual(clean);
    expect((await check('--runs', 'scratch')).code).toBe(1);
    expect(await check('--runs', 'scratch', '--device-memory', '24GiB')).toEqual(clean);
    const { code, stdout } = await check('--device-memory', '1MiB');
    expect([code, stdout]).toEqual([1, expect.stringContaining('; the GPU has 1.00 MiB.')]);
    for (const none of ['much', '24'])
      expect(await check('--device-memory', none)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`--device-memory takes an amount such as 24GiB, not ${none}.`) as string,
      });
  });
});
