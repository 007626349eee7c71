import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { experimentSchema, type RunnableExperiment } from '../../src/config/schema';
import { readTextFromDisk } from '../../src/config/readTextFromDisk';
import { openRun } from '../../src/cli/foregroundRun';
import { buildLanguageModel } from '../../src/models/languageModel';
import { readStatus } from '../../src/runs/readRun';
import { writeStatus } from '../../src/runs/runWriter';
import { bytesText } from '../../src/worker/bytesText';
import { loadExperiment } from '../../src/worker/loadExperiment';
import { checkDevice } from '../../src/worker/deviceCheck';
import { resumeRun, startRun } from '../../src/worker/launch';
import type { LaunchOptions } from '../../src/worker/startWorker';
import { machineRoom, memoryLimit } from '../../src/worker/machineRoom';
import { holdAgainst } from '../../src/worker/preflight';
import { LaunchError } from '../../src/worker/runFailure';
import { runNeeds } from '../../src/worker/runNeeds';
import { initialStatus } from '../../src/worker/runStatus';
import { findGpu } from '../engine/support/gpu';
import { temporaryFolder, tinyDisk } from '../runs/fixtures';
import { builtBundles } from './bundles';
import { createTinyRun, writeTinyExperiment } from './experiments';

const bundleFolder = builtBundles();
const GIB = 2 ** 30;

/** A model whose tables have 1024 * 1024 rows of `width`. */
function millionExperts(width: number, device: 'cpu' | 'webgpu' = 'cpu'): RunnableExperiment {
  const { train, data, ...rest } = experimentSchema.parse({
    model: {
      d_model: width,
      layers: 1,
      context: 16,
      attention: { heads: 2 },
      ffn: { width: 16 },
      product_keys: { experts: 1024 ** 2, heads: 2, top_k: 4, key_width: 16 },
    },
    train: { steps: 2000, batch_tokens: 64, micro_batch: 2 },
    data: { train: ['a.txt'], validation: { prose: ['b.txt'] } },
    checkpoint: { keep: 2 },
    engine: { device },
  });
  if (train === undefined || data === undefined) throw new Error('not runnable');
  return { ...rest, train, data };
}

describe('what a run needs', () => {
  const experiment = millionExperts(256);
  const needs = runNeeds(experiment, buildLanguageModel(experiment), 1000);
  // Two tables of 1 GiB, each with two moments.
  const tables = 2 * GIB;

  it('of memory is three times its tables at least, and of disk as much for each checkpoint', () => {
    expect(needs.memory.host).toBeGreaterThan(3 * tables);
    expect(needs.disk.checkpoints).toBeGreaterThan(3 * 3 * tables);
    expect(needs.disk.checkpoints).toBeLessThan(3 * 3 * tables * 1.05);
  });

  it('of disk for its series is mostly 500 sketches', () => {
    expect(needs.disk.series / (500 * 136_168)).toBeGreaterThan(1);
    expect(needs.disk.series / (500 * 136_168)).toBeLessThan(1.05);
  });

  const room = { freeDisk: 1000 * GIB, memory: 64 * GIB, freeMemory: 60 * GIB };
  const held = (changes: Partial<typeof room>) => holdAgainst(needs, { ...room, ...changes }, '/runs');
  const refusal = (changes: Partial<typeof room>): LaunchError => {
    try {
      held(changes);
    } catch (error) {
      if (error instanceof LaunchError) return error;
      throw error;
    }
    throw new Error('was not refused');
  };

  it('is said nothing of where there is room', () => expect(held({})).toEqual([]));

  it('refuses a run that cannot fit into memory, with the figures and what to change', () => {
    const { message, advice } = refusal({ memory: 4 * GIB });
    expect(message).toMatch(
      /^This run needs about \d\.\d\d GiB of memory \(both moments of AdamW 4\.0\d GiB, parameters 2\.0\d GiB, .*; this machine has 4\.00 GiB\.$/,
    );
    expect(advice).toMatch(/experts, d_model/);
  });

  it('warns where memory is tight, or in use by others', () => {
    expect(held({ memory: 1.05 * needs.memory.host })).toEqual([expect.stringContaining('it may not fit')]);
    expect(held({ freeMemory: GIB })).toEqual([expect.stringContaining('1.00 GiB are free at present')]);
  });

  it('refuses and warns likewise of the disk', () => {
    const { message, advice } = refusal({ freeDisk: 10 * GIB });
    expect(message).toMatch(
      /^This run needs up to 18\.\d GiB on the disk \(checkpoints 18\.\d GiB, series \d\d\.\d MiB\); \/runs has 10\.0 GiB free\.$/,
    );
    expect(advice).toContain('checkpoint.keep');
    expect(held({ freeDisk: 1.05 * needs.disk.total })).toEqual([expect.stringContaining('almost full')]);
    expect(holdAgainst(needs, { ...room, freeDisk: null }, '/runs')).toEqual([]);
  });

  it('lets a run start whose checkpoints fit, and says that its series may not, by the steps', () => {
    const long = millionExperts(256);
    const { disk, ...rest } = runNeeds({ ...long, train: { ...long.train, steps: 2e8 } }, buildLanguageModel(long), 1000);
    expect(disk.series).toBeGreaterThan(disk.checkpoints);
    const against = (freeDisk: number, held?: Parameters<typeof holdAgainst>[3]) => () =>
      holdAgainst({ ...rest, disk }, { ...room, freeDisk }, '/runs', held);
    expect(against(disk.checkpoints + GIB)()).toEqual([
      expect.stringMatching(
        /series 61\.\d GiB\); \/runs has 19\.\d GiB free: its checkpoints fit, but its series.* fewer steps \(train\.steps\)/,
      ),
    ]);
    expect(against(disk.series, { checkpoints: 0, others: 0 })()).toEqual([
      expect.stringMatching(/may fill the disk\. Free space, or stop it/),
    ]);
    expect(against(disk.checkpoints - GIB)).toThrow(
      expect.objectContaining({ advice: expect.stringMatching(/checkpoint\.keep.*train\.steps/) }),
    );
    expect(against(disk.checkpoints - GIB, { checkpoints: 2 * GIB, others: disk.series })()).toEqual([
      expect.stringContaining('almost full'),
    ]);
    expect(refusal({ freeDisk: 10 * GIB }).advice).not.toContain('train.steps');
  });

  it('to go on is what it does not have yet, and its config stays as it is', () => {
    const resumed = (changes: Partial<typeof room>, checkpoints: number) => () =>
      holdAgainst(needs, { ...room, ...changes }, '/runs', { checkpoints, others: needs.disk.series });
    expect(resumed({ freeDisk: 10 * GIB }, 12 * GIB)()).toEqual([]);
    expect(resumed({ freeDisk: 0 }, 2 * needs.disk.total)()).toEqual([]);
    expect(resumed({ freeDisk: 10 * GIB }, needs.disk.checkpoints - 9.5 * GIB)()).toEqual([
      expect.stringMatching(/, of which it has [89]\.\d\d GiB; .* almost full/),
    ]);
    expect(resumed({ freeDisk: 10 * GIB }, 6 * GIB)).toThrow(/of which it has 6\.0\d GiB; \/runs has 10\.0 GiB free/);
    expect(resumed({ memory: 4 * GIB }, 0)).toThrow(expect.objectContaining({ advice: expect.stringMatching(/^Resume it on a machine/) }));
  });
});

describe('a machine', () => {
  it('has as much memory as its container lets it', () => {
    expect(memoryLimit(64 * GIB, 8 * GIB)).toBe(8 * GIB);
    for (const none of [undefined, 0, 2 ** 64]) expect(memoryLimit(64 * GIB, none)).toBe(64 * GIB);
  });

  it('says what is free where a folder will be', () => {
    const { freeDisk, memory, freeMemory } = machineRoom(join(temporaryFolder(), 'not', 'there', 'yet'));
    expect(freeDisk).toBeGreaterThan(0);
    expect(freeMemory).toBeGreaterThan(0);
    expect(freeMemory).toBeLessThanOrEqual(memory);
  });

  it('writes sizes short', () => {
    expect([950, 1023.7 * 1024, 1.25 * 2 ** 20, 12.34 * GIB, 640 * GIB].map(bytesText)).toEqual([
      '950 bytes',
      '1.00 MiB',
      '1.25 MiB',
      '12.3 GiB',
      '640 GiB',
    ]);
  });
});

describe('a run that does not fit', () => {
  it('is refused before there is anything of it', async ({ skip }) => {
    const disk = tinyDisk(16);
    if (disk === undefined) return skip('no permission to mount a tmpfs');
    const configFile = writeTinyExperiment(temporaryFolder());
    const runsDirectory = join(disk, 'runs');
    const starting = startRun({ configFile, readText: readTextFromDisk, runsDirectory, bundleFolder });
    await expect(starting).rejects.toThrow(/needs up to \d+ KiB on the disk .* has 16\.0 KiB free/);
    expect(existsSync(runsDirectory)).toBe(false);
  });

  it('is not taken up again either, and stays as it was; where it may just fit there is a warning', async ({ skip }) => {
    const disk = tinyDisk(2048);
    if (disk === undefined) return skip('no permission to mount a tmpfs');
    const { run, description } = await createTinyRun(disk, { steps: 1000 });
    writeStatus(run, { ...initialStatus(1000, Date.now()), state: 'stopped', step: 3 });
    const before = await readStatus(run);
    const warnings: string[] = [];
    const onWarning = (message: string): void => void warnings.push(message);
    const leaveFree = (bytes: number): void => {
      const filler = join(disk, 'filler');
      rmSync(filler, { force: true });
      writeFileSync(filler, new Uint8Array((machineRoom(disk).freeDisk ?? 0) - bytes));
    };
    const has = readdirSync(run, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
    const { experiment } = loadExperiment({ configFile: description.configFile, readText: readTextFromDisk });
    const { disk: needed } = runNeeds(experiment, buildLanguageModel(experiment), 0);

    leaveFree(0.8 * needed.checkpoints);
    for (const resume of [resumeRun, (_: string, options: LaunchOptions) => openRun({ kind: 'resume', run, ...options }, bundleFolder)]) {
      await expect(resume(run, { bundleFolder, onWarning })).rejects.toThrow(
        /needs up to \d+ KiB on the disk .*, of which it has [\d.]+ KiB; .* free/,
      );
    }
    expect(warnings).toEqual([]);
    expect(await readStatus(run)).toEqual(before);

    leaveFree(1.05 * (needed.total - has));
    expect((await openRun({ kind: 'resume', run, onWarning }, bundleFolder)).description.id).toBe(description.id);
    expect(warnings).toEqual([expect.stringContaining('it will be almost full')]);
  });

  it('on a device whose buffers are too small is told their limit', { timeout: 180_000 }, async ({ skip }) => {
    const gpu = await findGpu();
    if ('reason' in gpu) return skip(gpu.reason);
    for (const name of ['VK_ICD_FILENAMES', 'LD_LIBRARY_PATH']) {
      const value = gpu.environment[name];
      if (value !== undefined) vi.stubEnv(name, value);
    }
    onTestFinished(() => void vi.unstubAllEnvs());
    // Two of 16 GiB.
    const refused = checkDevice(millionExperts(4096, 'webgpu'), { bundleFolder });
    await expect(refused).rejects.toThrow(
      /layers\.0\.product_keys\.\w+ \[1048576, 4096\] has 16\.0 GiB\. .*maxBufferSize\) has [\d,.]+ MiB/,
    );
    // On the CPU there is no such limit.
    await checkDevice(millionExperts(4096), { bundleFolder });
  });
});
