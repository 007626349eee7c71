import { join } from 'node:path';
import type { RunnableExperiment } from '../config/schema';
import { EVERY_DEVICE_BYTES, largestParameter } from '../engine/onnx/deviceLimits';
import { buildLanguageModel } from '../models/languageModel';
import type { KnownGpu } from '../runs/machineFile';
import { bytesText } from './bytesText';
import type { Rung } from './ladder';
import { probe } from './probe';
import { LaunchError } from './runFailure';

/**
 * Throws LaunchError where there is no device for WebGPU, or none with a buffer for the largest parameter. Asked in a process of its own: a
 * driver may end it.
 * `rung`: who asks, which has been found to have a device; where absent this process's own Node, of which nothing is known. Returns the GPUs that it found,
 * where it asked.
 */
export async function checkDevice(
  experiment: RunnableExperiment,
  { bundleFolder, rung }: { readonly bundleFolder: string; readonly rung?: Rung },
): Promise<readonly KnownGpu[] | undefined> {
  const { device } = experiment.engine;
  if (device !== 'webgpu') return undefined;
  const largest = largestParameter(buildLanguageModel(experiment));
  // For a smaller one it is enough that there is a device.
  const isLarge = largest !== undefined && largest.bytes > EVERY_DEVICE_BYTES;
  if (rung !== undefined && !isLarge) return undefined;
  const own: Rung = { rung: 'editor', executable: process.execPath, environment: {} };
  const ask = (bytes: number) => probe(rung ?? own, join(bundleFolder, 'probe.js'), device, bytes);
  const { holds, reason, noAdapter, gpus } = await ask(isLarge ? largest.bytes : 0);
  if (holds) return gpus;
  if (noAdapter !== null) throw new LaunchError(noAdapter.message, noAdapter.advice);
  // Not of the size, where it cannot do the least either.
  const least = isLarge ? await ask(0) : { holds, reason };
  if (!isLarge || !least.holds) throw new LaunchError(`This machine cannot train on ${device}: ${least.reason}`, launchAdvice(device));
  throw new LaunchError(
    `The parameter ${largest.name} [${largest.shape.join(', ')}] has ${bytesText(largest.bytes)}. ${reason}`,
    'Use fewer experts or a smaller d_model, or set engine.device to cpu.',
  );
}

/** What to do where no Node can train on a device. */
export function launchAdvice(device: string): string {
  return device === 'cpu'
    ? 'Install Node 20 or newer, or name one in the setting moeLab.nodePath.'
    : 'Set engine.device to cpu, or see `moe-lab devices`.';
}
