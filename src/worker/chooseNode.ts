import { join } from 'node:path';
import type { Device, DeviceReport } from '../engine/engine';
import { isExecutable } from '../engine/programOnPath';
import type { RunDescription } from '../runs/format';
import type { KnownGpu } from '../runs/machineFile';
import { launchAdvice } from './deviceCheck';
import { launchLadder, type Rung } from './ladder';
import { climb, type ProbedLadder } from './probe';
import { LaunchError } from './runFailure';

/** Where the programs are that a worker consists of, and which Node is to run them. */
export interface NodeOptions {
  /** The folder with worker.js, engineThread.js, dataThread.js and probe.js: `dist/`. */
  readonly bundleFolder: string;
  /** The setting moeLab.nodePath; empty for none. */
  readonly nodePath?: string;
}

/** `gpus`: what it found of them, where `device` is WebGPU. */
export interface ChosenNode {
  readonly rung: Rung;
  readonly report: RunDescription['launch'];
  readonly gpus: readonly KnownGpu[] | undefined;
}

/** The first Node that can train on a device. Throws LaunchError where none can. */
export async function chooseRung(options: NodeOptions, device: string): Promise<ChosenNode> {
  const { chosen, noAdapter, report, gpus } = await tryRungs(options, device);
  if (noAdapter !== null) throw new LaunchError(noAdapter.message, noAdapter.advice);
  if (chosen === undefined) {
    const reasons = report.map(({ executable, reason }) => `${executable}: ${reason}`).join('\n');
    throw new LaunchError(`No Node on this machine can train on ${device}.\n${reasons}`, launchAdvice(device));
  }
  return { rung: chosen, report, gpus };
}

/** Whether a worker could train on `device`: one tiny step of it, in a process of its own. */
export async function probeDevice(device: Device, options: NodeOptions): Promise<DeviceReport> {
  const { chosen, report, gpus } = await tryRungs(options, device);
  const detail = report.map(({ executable, reason }) => (chosen === undefined ? `${executable}: ${reason}` : reason));
  const said = (chosen === undefined ? detail.join('; ') : detail.at(-1)) ?? '';
  return { device, available: chosen !== undefined, detail: said, ...(gpus === undefined ? {} : { gpus }) };
}

function tryRungs({ bundleFolder, nodePath = '' }: NodeOptions, device: string): Promise<ProbedLadder> {
  const rungs = launchLadder({
    platform: process.platform,
    nodePath,
    environment: process.env,
    execPath: process.execPath,
    isElectron: process.versions['electron'] !== undefined,
    exists: isExecutable,
  });
  return climb(rungs, join(bundleFolder, 'probe.js'), device);
}
