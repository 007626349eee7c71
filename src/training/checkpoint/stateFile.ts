import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { StateTensor } from '../../engine/engine';
import type { Program } from '../../graph/program';
import { decodeHeader, encodeHeader, headerLength, type PlacedTensor, type TensorLayout } from './safetensors';

/** SHA-256 of each tensor's bytes, by its name in the file. */
export type Checksums = Readonly<Record<string, string>>;

const prefixes = {
  parameter: 'parameter/',
  firstMoment: 'first_moment/',
  secondMoment: 'second_moment/',
  buffer: 'buffer/',
} as const satisfies Record<StateTensor['kind'], string>;
const kindsOfTensor = Object.keys(prefixes) as StateTensor['kind'][];

/** Reads and writes go in pieces of this size, below the limit of one system call. */
const PIECE_BYTES = 64 << 20;

/** Every tensor of a program's training state, parameters first, with the names they have in the file. */
function stateLayout(program: Program): TensorLayout[] {
  const owned = (kind: 'parameter' | 'firstMoment' | 'secondMoment') =>
    program.parameters.map(({ name, shape }) => ({ name: prefixes[kind] + name, shape }));
  const buffers = program.buffers.map(({ name, shape }) => ({ name: prefixes.buffer + name, shape }));
  return [...owned('parameter'), ...owned('firstMoment'), ...owned('secondMoment'), ...buffers];
}

/**
 * Writes the state as safetensors and syncs it. The header is known from the program, so tensors are written as they come, in any order, one in memory at a time.
 * Throws RangeError where the tensors are not exactly those of the program.
 */
export async function writeStateFile(file: string, program: Program, tensors: AsyncIterable<StateTensor>): Promise<Checksums> {
  const { bytes, tensors: places } = encodeHeader(stateLayout(program), { format: 'moe-lab', program: program.name });
  const missing = new Map(places.map((place) => [place.name, place]));
  const checksums: Record<string, string> = {};
  const handle = await open(file, 'wx');
  try {
    await writeAt(handle, bytes, 0);
    for await (const { kind, name, shape, data } of tensors) {
      const place = missing.get(prefixes[kind] + name);
      const content = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      if (place === undefined) throw new RangeError(`The state has an unexpected tensor ${kind} "${name}".`);
      if (place.end - place.begin !== content.length)
        throw new RangeError(`${kind} "${name}" has shape [${shape.join(', ')}], not [${place.shape.join(', ')}].`);
      await writeAt(handle, content, place.begin);
      checksums[place.name] = createHash('sha256').update(content).digest('hex');
      missing.delete(place.name);
    }
    if (missing.size > 0) throw new RangeError(`The state lacks ${missing.size} tensors, for example "${[...missing.keys()][0]}".`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return checksums;
}

/** The tensors of a state file, one at a time. Throws RangeError or SyntaxError where the file is damaged. */
export async function* readStateFile(file: string, checksums: Checksums): AsyncGenerator<StateTensor> {
  const handle = await open(file, 'r');
  try {
    for (const place of await readHeader(handle)) {
      const content = await readAt(handle, place.begin, place.end);
      if (createHash('sha256').update(content).digest('hex') !== checksums[place.name]) {
        throw new RangeError(`the content of "${place.name}" does not fit its checksum`);
      }
      const kind = kindsOfTensor.find((candidate) => place.name.startsWith(prefixes[candidate]));
      if (kind === undefined) throw new RangeError(`"${place.name}" is no part of a training state`);
      yield { kind, name: place.name.slice(prefixes[kind].length), shape: place.shape, data: new Float32Array(content.buffer) };
    }
  } finally {
    await handle.close();
  }
}

async function readHeader(handle: FileHandle): Promise<readonly PlacedTensor[]> {
  const { size } = await handle.stat();
  const length = headerLength(await readAt(handle, 0, Math.min(8, size)));
  if (length > size) throw new RangeError('it ends within its header');
  const header = decodeHeader(await readAt(handle, 0, length));
  if (header.fileBytes !== size) throw new RangeError(`it has ${size} bytes instead of ${header.fileBytes}`);
  return header.tensors;
}

async function writeAt(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, Math.min(PIECE_BYTES, bytes.length - done), position + done);
    done += bytesWritten;
  }
}

async function readAt(handle: FileHandle, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - begin);
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(PIECE_BYTES, bytes.length - done), begin + done);
    if (bytesRead === 0) throw new RangeError('it ends too early');
    done += bytesRead;
  }
  return bytes;
}
