import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openRun } from '../../src/cli/foregroundRun';
import { readTextFromDisk } from '../../src/config/readTextFromDisk';
import { keepGpus, readGpus } from '../../src/runs/machineFile';
import { heedGpus } from '../../src/worker/deviceMemory';
import { loadExperiment } from '../../src/worker/loadExperiment';
import { gpusText, largestGpu } from '../../src/worker/memoryRooms';
import { prepareRun } from '../../src/worker/prepareRun';
import { runCli } from '../cli/runCli';
import { findGpu } from '../engine/support/gpu';
import { temporaryFolder } from '../runs/fixtures';
import { builtBundles } from './bundles';
import { writeTinyExperiment } from './experiments';

const bundleFolder = builtBundles();
const MIB = 2 ** 20;
const l4 = { name: 'NVIDIA L4', bytes: 23034 * MIB, shared: false };
const tiny = { name: 'NVIDIA Tiny', bytes: MIB, shared: false };

/** One that needs a little more than a MiB of its device. */
function experimentOn(folder: string, device: 'cpu' | 'webgpu') {
  const configFile = writeTinyExperiment(folder, { steps: 1 });
  const text = readFileSync(configFile, 'utf8').replace('d_model: 16', 'd_model: 32').replace('device: cpu', `device: ${device}`);
  // Its validation text is the beginning of what it trains on.
  writeFileSync(configFile, `# moe-lab-disable validation-in-training -- the text is made up\n${text}`);
  return loadExperiment({ configFile, readText: readTextFromDisk });
}

describe('GPUs that a probe has found', () => {
  function heeded(gpus: Parameters<typeof heedGpus>[1], device: 'cpu' | 'webgpu' = 'webgpu') {
    const folder = temporaryFolder();
    const runsDirectory = join(folder, 'runs');
    const warnings: string[] = [];
    heedGpus(experimentOn(folder, device).experiment, gpus, { runsDirectory, onWarning: (message) => void warnings.push(message) });
    return { warnings, runsDirectory };
  }

  it('are kept, with a warning where not even the largest has the memory', async () => {
    const { warnings, runsDirectory } = heeded([tiny, { ...tiny, name: 'NVIDIA Less', bytes: MIB / 2 }]);
    expect(warnings).toEqual([
      expect.stringMatching(/^This run needs about [\d.]+ MiB of memory on the GPU \(.*\); NVIDIA Tiny has 1\.00 MiB: it may fail\. Make /),
    ]);
    expect(await readGpus(runsDirectory)).toHaveLength(2);
    expect(heeded([tiny, l4]).warnings).toEqual([]);
    expect(heeded([tiny], 'cpu').warnings).toEqual([]);
  });

  it('share the memory of the machine where they have none of their own', () => {
    expect(heeded([{ name: 'Apple silicon', bytes: MIB, shared: true }]).warnings).toEqual([
      expect.stringMatching(/of memory for itself and the GPU \(.*; Apple silicon has 1\.00 MiB for both: it may fail\./),
    ]);
  });

  it('change nothing where nobody asked, or where their figures cannot be kept', () => {
    expect(existsSync(heeded(undefined).runsDirectory)).toBe(false);
    const folder = temporaryFolder();
    const runsDirectory = join(folder, 'runs');
    writeFileSync(runsDirectory, 'a file in its place');
    expect(() => heedGpus(experimentOn(folder, 'webgpu').experiment, [l4], { runsDirectory })).not.toThrow();
    expect(() => keepGpus(runsDirectory, [l4])).toThrow(/a file/);
  });

  it('are said in a few words, largest first where one is taken', () => {
    expect(gpusText([l4, { ...tiny, shared: true }])).toBe('NVIDIA L4 with 22.5 GiB, NVIDIA Tiny with 1.00 MiB that it shares');
    expect([largestGpu([tiny, l4]), largestGpu([])]).toEqual([l4, undefined]);
  });
});

describe('a machine with a program that answers as nvidia-smi does', () => {
  /** Its environment: WebGPU computes on whatever there is, by a driver that is called NVIDIA's. Or why there is no WebGPU. */
  async function machineWith(answer: string): Promise<Readonly<Record<string, string>> | { readonly reason: string }> {
    if (process.platform === 'win32') return { reason: 'the program is a shell script' };
    const gpu = await findGpu();
    if ('reason' in gpu) return gpu;
    const folder = temporaryFolder();
    const program = join(folder, 'nvidia-smi');
    writeFileSync(program, `#!/bin/sh\necho '${answer}'\n`);
    chmodSync(program, 0o755);
    const { PATH = '', VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH } = gpu.environment;
    const environment = { PATH: [folder, PATH].join(delimiter), ...(LD_LIBRARY_PATH === undefined ? {} : { LD_LIBRARY_PATH }) };
    if (driver === undefined) return environment;
    const manifest = join(folder, 'nvidia_icd.json');
    // Its library lies beside the driver's own manifest.
    writeFileSync(manifest, readFileSync(driver, 'utf8').replace('"./', `"${dirname(driver)}/`));
    return { ...environment, VK_ICD_FILENAMES: manifest };
  }

  function cli(cwd: string, environment: Readonly<Record<string, string>>, ...args: string[]) {
    const env = { ...process.env, ...environment };
    return new Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>((resolve) => {
      execFile(process.execPath, [join(bundleFolder, 'cli.js'), ...args], { cwd, env }, (error, stdout, stderr) =>
        resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  }

  it('says what it has, in text, as JSON and, where there are runs, for checks to come', async ({ skip }) => {
    const environment = await machineWith('NVIDIA L4, 23034');
    if ('reason' in environment) {
      console.log(`skipped: ${environment.reason ?? ''}`);
      return skip(environment.reason);
    }
    const folder = temporaryFolder();
    const { stdout } = await cli(folder, environment, 'devices', '--json');
    const { devices } = JSON.parse(stdout) as { readonly devices: readonly object[] };
    expect(devices).toMatchObject([
      { device: 'cpu', available: true },
      { device: 'webgpu', available: true, gpus: [l4] },
    ]);
    expect(devices[0]).not.toHaveProperty('gpus');
    expect(existsSync(join(folder, '.moe-lab'))).toBe(false);
    mkdirSync(join(folder, '.moe-lab', 'runs'), { recursive: true });
    const text = await cli(folder, environment, 'devices');
    expect(text.stdout).toMatch(/^webgpu +yes +onnxruntime-node .*; NVIDIA L4 with 22\.5 GiB$/m);
    expect(await readGpus(join(folder, '.moe-lab', 'runs'))).toEqual([l4]);
  });

  it('warns of a run that needs more than it has, from the command line and from the editor, whose checks know from then on', async ({
    skip,
  }) => {
    const environment = await machineWith('NVIDIA Tiny, 1');
    if ('reason' in environment) {
      console.log(`skipped: ${environment.reason ?? ''}`);
      return skip(environment.reason);
    }
    const folder = temporaryFolder();
    const loaded = experimentOn(folder, 'webgpu');
    const { configFile } = loaded;
    const checked = (runs: string) => runCli(folder, 'check', configFile, '--runs', runs);
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    const warnings: string[] = [];
    const onWarning = (message: string): void => void warnings.push(message);

    const [own, editors] = [join(folder, 'own'), join(folder, 'editors')];
    expect((await checked(own)).code).toBe(0);
    await openRun({ kind: 'start', configFile, runsDirectory: own, onWarning }, bundleFolder);
    const { code, stdout } = await checked(own);
    expect([code, stdout]).toEqual([1, expect.stringMatching(/warning memory: .*; NVIDIA Tiny has 1\.00 MiB\./)]);

    const { report } = await prepareRun(loaded, editors, { bundleFolder, onWarning });
    expect(report.at(-1)?.reason).toMatch(/; NVIDIA Tiny with 1\.00 MiB$/);
    expect(await readGpus(editors)).toEqual([tiny]);
    const warning = expect.stringMatching(/^This run needs .* NVIDIA Tiny has 1\.00 MiB: it may fail\./) as string;
    expect(warnings).toEqual([warning, warning]);
  });
});
