import type { KnownGpu } from '../runs/machineFile';
import type { MemoryEstimate, MemoryPart } from '../training/resources';
import { bytesText } from './bytesText';

/** Memory that trainings are held against, in bytes. */
export interface MachineMemory {
  /** Of the machine, or of the container that this process is in. */
  readonly host: number;
  /** Of the GPU that WebGPU would compute on; absent where nobody knows it. */
  readonly device?: KnownGpu | undefined;
}

/** Where memory is short: the machine's, the GPU's own, or what a processor and its GPU have together. */
export type MemorySide = 'host' | 'device' | 'shared';

/** Memory of one kind, what a training needs of it, and what there is. */
export interface MemoryRoom {
  readonly side: MemorySide;
  readonly needed: number;
  readonly has: number;
  /** As a sentence says it: `this machine has 16.0 GiB`. */
  readonly text: string;
}

/** All memory that a training is held against: that of a GPU only where it uses it. */
export function memoryRooms(estimate: MemoryEstimate, machine: MachineMemory): readonly MemoryRoom[] {
  const { host } = machine;
  const rooms: MemoryRoom[] = [{ side: 'host', needed: estimate.host, has: host, text: `this machine has ${bytesText(host)}` }];
  const device = estimate.device === 0 ? undefined : machine.device;
  if (device === undefined) return rooms;
  const { name, bytes, shared } = device;
  const has = shared ? Math.min(host, bytes) : bytes;
  const side = shared ? 'shared' : 'device';
  return [...rooms, { side, needed: bytesOn(side, estimate), has, text: `${name} has ${bytesText(has)}${shared ? ' for both' : ''}` }];
}

export function bytesOn(side: MemorySide, { host, device }: Pick<MemoryPart, 'host' | 'device'>): number {
  return side === 'shared' ? host + device : side === 'host' ? host : device;
}

/**
 * The GPU that a training would be given: WebGPU asks for the fastest, which nobody can tell by name. What does not fit into the one with
 * most memory fits into none.
 */
export function largestGpu(gpus: readonly KnownGpu[]): KnownGpu | undefined {
  return gpus.toSorted((one, other) => other.bytes - one.bytes)[0];
}

/** A GPU with so many bytes, of which somebody has said no more. */
export function statedGpu(bytes: number): KnownGpu {
  return { name: 'the GPU', bytes, shared: false };
}

/** `NVIDIA H200 with 140 GiB, AMD GPU with 16.0 GiB`; empty for none. */
export function gpusText(gpus: readonly KnownGpu[]): string {
  return gpus.map(({ name, bytes, shared }) => `${name} with ${bytesText(bytes)}${shared ? ' that it shares' : ''}`).join(', ');
}

/** What people are told of memory that is short: `about 12.0 GiB of memory on the GPU (activations 8.00 GiB, ...)`. */
export function neededText({ side, needed }: Pick<MemoryRoom, 'side' | 'needed'>, parts: readonly MemoryPart[]): string {
  const where: Readonly<Record<MemorySide, string>> = { host: '', device: ' on the GPU', shared: ' for itself and the GPU' };
  return `about ${bytesText(needed)} of memory${where[side]} (${largestParts(parts, side)})`;
}

/** The three largest parts, largest first. */
function largestParts(parts: readonly MemoryPart[], side: MemorySide): string {
  return bySize(parts, side)
    .filter((part) => bytesOn(side, part) > 0)
    .slice(0, 3)
    .map((part) => `${part.meaning} ${bytesText(bytesOn(side, part))}`)
    .join(', ');
}

export function bySize(parts: readonly MemoryPart[], side: MemorySide): readonly MemoryPart[] {
  return parts.toSorted((one, other) => bytesOn(side, other) - bytesOn(side, one));
}

export function memoryAdvice(parts: readonly MemoryPart[], side: MemorySide): string {
  const where = side === 'device' ? 'on a GPU with more memory' : 'on a machine with more memory';
  switch (bySize(parts, side)[0]?.name) {
    case 'activations':
    case 'evaluation':
      return `Make train.micro_batch or model.context smaller, or the model (d_model, layers); or train ${where}.`;
    case 'text':
      return 'Train on less text, or on a machine with more memory.';
    default:
      return `Make the model smaller (experts, d_model, layers), or train ${where}; ${others[side]}.`;
  }
}

const others: Readonly<Record<MemorySide, string>> = {
  host: 'a GPU with memory of its own takes what is not a table of experts (engine.device)',
  device: 'the CPU has the memory of the machine (engine.device)',
  shared: 'the CPU alone needs less (engine.device)',
};
