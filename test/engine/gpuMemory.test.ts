import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { findGpus, nvidiaGpus, type GpuSources } from '../../src/engine/gpuMemory';

const MIB = 2 ** 20;
const root = mkdtempSync(join(tmpdir(), 'moe-lab-gpus-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
function newFolder(): string {
  const folder = join(root, String(++folders));
  mkdirSync(folder);
  return folder;
}

/** A machine without GPUs, and what else is said of it. */
function machine(more: Partial<GpuSources> = {}): GpuSources {
  return {
    platform: 'linux',
    arch: 'x64',
    environment: { PATH: '' },
    totalMemory: 64 * 1024 * MIB,
    drmFolder: newFolder(),
    answerMilliseconds: 60_000,
    ...more,
  };
}

describe('what nvidia-smi answers', () => {
  const own = (name: string, mebibytes: number) => ({ name, bytes: mebibytes * MIB, shared: false });

  it.each([
    ['one GPU', 'NVIDIA GeForce RTX 3060, 12288\n', [own('NVIDIA GeForce RTX 3060', 12288)]],
    [
      'several, with the line ends of Windows',
      'NVIDIA H200, 143771\r\nNVIDIA A100-SXM4-40GB, 40960\r\n',
      [own('NVIDIA H200', 143771), own('NVIDIA A100-SXM4-40GB', 40960)],
    ],
    ['a slice of a GPU as a virtual machine sees it', 'GRID A100-4-20C, 20475\n', [own('GRID A100-4-20C', 20475)]],
    ['slices of a GPU whose memory a container may not ask for', 'NVIDIA A100-SXM4-80GB MIG 1g.10gb, [Insufficient Permissions]\n', []],
    ['a GPU with the memory of the machine', 'NVIDIA GB10, [N/A]\n', []],
    ['an older word for it', 'Orin (nvgpu), [Not Supported]\n', []],
    ['one that has a figure beside one that has none', 'NVIDIA GB10, [N/A]\nNVIDIA L4, 23034\n', [own('NVIDIA L4', 23034)]],
    ['a card that fell off its bus', 'NVIDIA L4, [Unknown Error]\n', []],
    ['no GPU', 'No devices were found\n', []],
    ['no driver', "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", []],
    ['nothing', '', []],
    ['no memory', 'NVIDIA L4, 0\n', []],
    ['more memory than there is', `NVIDIA L4, ${'9'.repeat(400)}\n`, []],
    ['what would drive a terminal', '\u001b[31mNVIDIA L4, 23034\n', []],
    ['more GPUs than there are', 'NVIDIA L4, 23034\n'.repeat(100_000), Array.from({ length: 64 }, () => own('NVIDIA L4', 23034))],
  ])('%s', (_, answer, gpus) => {
    expect(nvidiaGpus(answer)).toEqual(gpus);
  });
});

describe.skipIf(process.platform === 'win32')('a program called nvidia-smi', () => {
  /** A folder with one that is this shell script. */
  function nvidiaSmi(script: string): string {
    const folder = newFolder();
    const file = join(folder, 'nvidia-smi');
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
    return folder;
  }
  const answers = 'test "$*" = "--query-gpu=name,memory.total --format=csv,noheader,nounits" && echo "NVIDIA L4, 23034"';

  it('is asked for names and memory, wherever it is on the PATH', async () => {
    const path = [newFolder(), nvidiaSmi(answers)].join(delimiter);
    expect(await findGpus(machine({ environment: { PATH: path } }))).toEqual([{ name: 'NVIDIA L4', bytes: 23034 * MIB, shared: false }]);
  });

  it.each([
    ['fails', 'echo "NVIDIA L4, 23034"; exit 9'],
    ['is killed', 'kill -9 $$'],
  ])('that %s says nothing', async (_, script) => {
    expect(await findGpus(machine({ environment: { PATH: nvidiaSmi(script) } }))).toEqual([]);
  });

  it('that does not end when it is told to is left alone, with what it has started', async () => {
    const hangs = 'trap "" TERM; while :; do sleep 1; done';
    expect(await findGpus(machine({ environment: { PATH: `${nvidiaSmi(hangs)}${delimiter}/bin` }, answerMilliseconds: 100 }))).toEqual([]);
    const holdsItsOutput = 'sleep 5 & echo "NVIDIA L4, 23034"; wait';
    expect(
      await findGpus(machine({ environment: { PATH: `${nvidiaSmi(holdsItsOutput)}${delimiter}/bin` }, answerMilliseconds: 100 })),
    ).toEqual([]);
  });

  it('is not run from a folder that depends on where one is, nor where it may not be executed', async () => {
    const folder = nvidiaSmi(answers);
    const before = process.cwd();
    process.chdir(folder);
    try {
      expect(await findGpus(machine({ environment: { PATH: `.${delimiter}` } }))).toEqual([]);
    } finally {
      process.chdir(before);
    }
    chmodSync(join(folder, 'nvidia-smi'), 0o644);
    expect(await findGpus(machine({ environment: { PATH: folder } }))).toEqual([]);
  });

  it('is not asked where Vulkan is given another driver: its GPU is not the one that computes', async () => {
    const environment = { PATH: nvidiaSmi(answers) };
    const software = '/usr/lib/chromium/vk_swiftshader_icd.json';
    expect(await findGpus(machine({ environment: { ...environment, VK_ICD_FILENAMES: software } }))).toEqual([]);
    expect(await findGpus(machine({ environment: { ...environment, VK_DRIVER_FILES: software } }))).toEqual([]);
    const named = { ...environment, VK_DRIVER_FILES: '/usr/share/vulkan/icd.d/nvidia_icd.json', VK_ICD_FILENAMES: software };
    expect(await findGpus(machine({ environment: named }))).toHaveLength(1);
  });
});

describe('what Linux tells of cards', () => {
  function card(drmFolder: string, name: string, files: Readonly<Record<string, string>>): void {
    const device = join(drmFolder, name, 'device');
    mkdirSync(device, { recursive: true });
    for (const [file, text] of Object.entries(files)) writeFileSync(join(device, file), text);
  }
  const radeon = {
    vendor: '0x1002\n',
    mem_info_vram_total: '17163091968\n',
    mem_info_gtt_total: '33554432000\n',
    mem_info_vram_vendor: 'samsung\n',
  };

  it('is the memory of those of AMD that have their own, in order, by name where they have one', async () => {
    const drmFolder = newFolder();
    card(drmFolder, 'card10', { ...radeon, mem_info_vram_total: '68702699520\n', product_name: 'AMD INSTINCT MI210\n' });
    card(drmFolder, 'card2', radeon);
    card(drmFolder, 'card2-HDMI-A-1', radeon);
    card(drmFolder, 'renderD128', radeon);
    expect(await findGpus(machine({ drmFolder }))).toEqual([
      { name: 'AMD GPU', bytes: 17163091968, shared: false },
      { name: 'AMD INSTINCT MI210', bytes: 68702699520, shared: false },
    ]);
  });

  it('is nothing of one in a processor, whose share of memory is no bound, nor of others', async () => {
    const drmFolder = newFolder();
    const { mem_info_vram_vendor: _, ...recent } = { ...radeon, mem_info_vram_total: '536870912\n' };
    card(drmFolder, 'card0', recent);
    card(drmFolder, 'card1', { ...recent, mem_info_vram_vendor: 'unknown\n' });
    card(drmFolder, 'card3', { vendor: '0x8086\n' });
    card(drmFolder, 'card4', { ...radeon, mem_info_vram_total: 'none\n' });
    card(drmFolder, 'card5', { ...radeon, mem_info_vram_total: '0\n' });
    expect(await findGpus(machine({ drmFolder }))).toEqual([]);
  });

  it('is nothing where there is no such folder, on other systems, or with another driver', async () => {
    const drmFolder = newFolder();
    card(drmFolder, 'card0', radeon);
    expect(await findGpus(machine({ drmFolder: join(drmFolder, 'none') }))).toEqual([]);
    expect(await findGpus(machine({ drmFolder, platform: 'win32' }))).toEqual([]);
    const environment = { PATH: '', VK_ICD_FILENAMES: '/usr/share/vulkan/icd.d/lvp_icd.x86_64.json' };
    expect(await findGpus(machine({ drmFolder, environment }))).toEqual([]);
    const radv = { PATH: '', VK_ICD_FILENAMES: '/usr/share/vulkan/icd.d/radeon_icd.x86_64.json' };
    expect(await findGpus(machine({ drmFolder, environment: radv }))).toHaveLength(1);
  });
});

describe('Apple silicon', () => {
  it('computes in the memory of the machine; a Mac with an Intel processor says nothing', async () => {
    expect(await findGpus(machine({ platform: 'darwin', arch: 'arm64', totalMemory: 2 ** 34 }))).toEqual([
      { name: 'Apple silicon', bytes: 2 ** 34, shared: true },
    ]);
    expect(await findGpus(machine({ platform: 'darwin', arch: 'x64' }))).toEqual([]);
  });
});
