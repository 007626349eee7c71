import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { isExecutable, programOnPath } from './programOnPath';

/** A GPU and the memory that it computes in. */
export interface Gpu {
  readonly name: string;
  readonly bytes: number;
  /** Whether that is the memory of the machine, which the programs on it need, too. */
  readonly shared: boolean;
}

/** Where GPUs are asked after. */
export interface GpuSources {
  readonly platform: NodeJS.Platform;
  readonly arch: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Memory of the machine, in bytes. */
  readonly totalMemory: number;
  /** Where Linux tells of its GPUs. */
  readonly drmFolder: string;
  /** How long nvidia-smi may take. */
  readonly answerMilliseconds: number;
}

function thisMachine(): GpuSources {
  const { platform, arch, env } = process;
  return {
    platform,
    arch,
    environment: env,
    totalMemory: totalmem(),
    drmFolder: '/sys/class/drm',
    answerMilliseconds: ANSWER_MILLISECONDS,
  };
}

/** nvidia-smi wakes a card that sleeps, which takes seconds; a driver that hangs is as good as none. */
const ANSWER_MILLISECONDS = 15_000;

/** No machine has more: what says so is not nvidia-smi. */
const MOST_GPUS = 64;

/**
 * The GPUs of this machine whose memory is known: those of NVIDIA by nvidia-smi, those of AMD with memory of their own by what Linux tells
 * of them, that of Apple silicon, which has the machine's. Others say nothing without a program of their own. Never throws.
 */
export async function findGpus(sources: GpuSources = thisMachine()): Promise<readonly Gpu[]> {
  const { platform, arch, environment, totalMemory, drmFolder } = sources;
  if (platform === 'darwin') return arch === 'arm64' ? [{ name: 'Apple silicon', bytes: totalMemory, shared: true }] : [];
  const has = (vendor: RegExp): boolean => platform !== 'linux' || driverMayBe(vendor, environment);
  const [nvidia, amd] = await Promise.all([
    has(/nvidia/i) ? askNvidia(sources) : [],
    platform === 'linux' && has(/radeon|amd/i) ? readAmd(drmFolder) : [],
  ]);
  return [...nvidia, ...amd];
}

/** Vulkan uses no other drivers than these variables name, where one is set: a software driver has no GPU's memory. */
function driverMayBe(vendor: RegExp, environment: GpuSources['environment']): boolean {
  const named = environment['VK_DRIVER_FILES'] ?? environment['VK_ICD_FILENAMES'] ?? '';
  return named === '' || vendor.test(named);
}

function askNvidia({ platform, environment, answerMilliseconds }: GpuSources): Promise<readonly Gpu[]> {
  const program = programOnPath('nvidia-smi', { platform, environment, exists: isExecutable });
  if (program === undefined) return Promise.resolve([]);
  const question = ['--query-gpu=name,memory.total', '--format=csv,noheader,nounits'];
  return new Promise((resolve) => {
    const child = execFile(program, question, { env: { ...environment }, windowsHide: true }, (error, stdout) => {
      clearTimeout(patience);
      resolve(error === null ? nvidiaGpus(stdout) : []);
    });
    // One that waits for a driver that hangs need not end when it is told to: it is left to itself, and nobody waits for it or for what it
    // holds open.
    const patience = setTimeout(() => {
      child.kill('SIGKILL');
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
      resolve([]);
    }, answerMilliseconds);
  });
}

const MIB = 2 ** 20;

/**
 * What nvidia-smi answers: a line `name, MiB` for each GPU. Where it has no figure it says so in brackets: GPUs that have the machine's
 * memory, containers that may not ask. Those are left out.
 */
export function nvidiaGpus(answer: string): readonly Gpu[] {
  const gpus = answer.split(/\r?\n/).flatMap((line) => {
    const [, name = '', mebibytes = ''] = /^\s*([^\p{Cc}\s][^\p{Cc}]*?)\s*,\s*(\d{1,9})\s*$/u.exec(line) ?? [];
    return Number(mebibytes) > 0 ? [{ name, bytes: Number(mebibytes) * MIB, shared: false }] : [];
  });
  return gpus.slice(0, MOST_GPUS);
}

/**
 * The GPUs of AMD's Linux driver. One that is part of the processor has a share of the machine's memory that its settings may enlarge, and
 * says nothing, or
 * `unknown`, of who made it: how much it can use is not known.
 */
async function readAmd(drmFolder: string): Promise<readonly Gpu[]> {
  const entries = await readdir(drmFolder).catch(() => []);
  // Beside cards there are their connectors, as in card0-HDMI-A-1.
  const cards = entries.filter((entry) => /^card\d+$/.test(entry)).toSorted((one, other) => Number(one.slice(4)) - Number(other.slice(4)));
  const found = await Promise.all(cards.map((card) => readAmdCard(join(drmFolder, card, 'device'))));
  return found.filter((gpu) => gpu !== undefined);
}

async function readAmdCard(device: string): Promise<Gpu | undefined> {
  const read = (file: string): Promise<string> =>
    readFile(join(device, file), 'utf8').then(
      (text) => text.trim(),
      () => '',
    );
  const [total, maker, product] = await Promise.all([read('mem_info_vram_total'), read('mem_info_vram_vendor'), read('product_name')]);
  if (!/^\d+$/.test(total) || Number(total) === 0 || maker === '' || maker === 'unknown') return undefined;
  return { name: product === '' ? 'AMD GPU' : product, bytes: Number(total), shared: false };
}
