import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { STATE_PIECE_ELEMENTS, type StateTensor } from '../../engine/engine';
import { stateEntries, type StateSizes } from '../../engine/stateLayout';
import type { Program } from '../../graph/program';
import { decodeHeader, encodeHeader, headerLength, type PlacedTensor, type SafetensorsHeader, type TensorLayout } from './safetensors';

/** SHA-256 of each tensor's bytes, by its name in the file. */
export type Checksums = Readonly<Record<string, string>>;

const prefixes = {
  parameter: 'parameter/',
  firstMoment: 'first_moment/',
  secondMoment: 'second_moment/',
  rowState: 'row_state/',
  buffer: 'buffer/',
} as const satisfies Record<StateTensor['kind'], string>;
const kindsOfTensor = Object.keys(prefixes) as StateTensor['kind'][];

/** One system call reads or writes no more than this. */
const MOST_BYTES_AT_ONCE = 64 << 20;
const ELEMENT_BYTES = Float32Array.BYTES_PER_ELEMENT;

/** Every tensor of a program's training state with the name it has in the file, kind by kind: parameters first, buffers last. */
function stateLayout(program: Pick<Program, 'parameters' | 'buffers'>, sizes: StateSizes): TensorLayout[] {
  const entries = stateEntries(program, sizes);
  return kindsOfTensor.flatMap((wanted) =>
    entries.flatMap(({ kind, name, shape }) => (kind === wanted ? [{ name: prefixes[kind] + name, shape }] : [])),
  );
}

/** The header of the file that a program's state becomes: it says how large the file will be. */
export function stateFileHeader(
  program: Pick<Program, 'name' | 'parameters' | 'buffers'>,
  sizes: StateSizes,
): SafetensorsHeader & { readonly bytes: Uint8Array } {
  return encodeHeader(stateLayout(program, sizes), { format: 'moe-lab', program: program.name });
}

/**
 * Writes the state as safetensors and syncs it. The header is known from the program, so tensors are written as their pieces come, the
 * tensors in any order, one piece in memory at a time. Throws RangeError where the tensors are not exactly those of the program.
 */
export async function writeStateFile(
  file: string,
  program: Program,
  sizes: StateSizes,
  pieces: AsyncIterable<StateTensor>,
): Promise<Checksums> {
  const { bytes, tensors: places } = stateFileHeader(program, sizes);
  const expected = new Map(places.map((place) => [place.name, new TensorWriter(place)]));
  const handle = await open(file, 'wx');
  try {
    await writeAt(handle, bytes, 0);
    for await (const piece of pieces) {
      const writer = expected.get(prefixes[piece.kind] + piece.name);
      if (writer === undefined) throw new RangeError(`The state has an unexpected tensor ${piece.kind} "${piece.name}".`);
      await writer.write(handle, piece);
    }
    const missing = [...expected.values()].filter(({ complete }) => !complete);
    if (missing.length > 0) throw new RangeError(`The state lacks ${missing.length} tensors, for example "${missing[0]?.name}".`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return Object.fromEntries([...expected].map(([name, writer]) => [name, writer.checksum()]));
}

/** Writes the pieces of one tensor as they come. */
class TensorWriter {
  private readonly hash = createHash('sha256');
  private written = 0;
  private begun = false;

  constructor(private readonly place: PlacedTensor) {}

  get name(): string {
    return this.place.name;
  }

  /** Whether all pieces were written: one at least, also of a tensor without elements. */
  get complete(): boolean {
    return this.begun && this.written === this.place.end - this.place.begin;
  }

  async write(handle: FileHandle, { kind, name, shape, offset, data }: StateTensor): Promise<void> {
    const content = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const { begin, end, shape: expected } = this.place;
    if (this.complete) throw new RangeError(`The state has an unexpected tensor ${kind} "${name}": it came before.`);
    if (shape.join() !== expected.join() || begin + this.written + content.length > end) {
      throw new RangeError(`${kind} "${name}" has shape [${shape.join(', ')}] and more, not [${expected.join(', ')}].`);
    }
    if (offset * ELEMENT_BYTES !== this.written) {
      throw new RangeError(`${kind} "${name}" has a piece from element ${offset} where ${this.written / ELEMENT_BYTES} comes next.`);
    }
    await writeAt(handle, content, begin + this.written);
    this.hash.update(content);
    this.written += content.length;
    this.begun = true;
  }

  /** Once, at the end. */
  checksum(): string {
    return this.hash.digest('hex');
  }
}

/**
 * The tensors of a state file, piece by piece. Throws RangeError or SyntaxError where the file is damaged: before the last piece of a
 * tensor whose bytes do not fit its checksum, so whoever reads must have read the file whole once before trusting a piece.
 */
export async function* readStateFile(
  file: string,
  checksums: Checksums,
  pieceElements = STATE_PIECE_ELEMENTS,
): AsyncGenerator<StateTensor> {
  const handle = await open(file, 'r');
  try {
    for (const place of await readHeader(handle)) {
      const kind = kindsOfTensor.find((candidate) => place.name.startsWith(prefixes[candidate]));
      if (kind === undefined) throw new RangeError(`"${place.name}" is no part of a training state`);
      const tensor = { kind, name: place.name.slice(prefixes[kind].length), shape: place.shape };
      const hash = createHash('sha256');
      let begin = place.begin;
      do {
        const content = await readAt(handle, begin, Math.min(begin + pieceElements * ELEMENT_BYTES, place.end));
        hash.update(content);
        const offset = (begin - place.begin) / ELEMENT_BYTES;
        begin += content.length;
        if (begin === place.end) check(hash, place.name, checksums);
        yield { ...tensor, offset, data: new Float32Array(content.buffer) };
      } while (begin < place.end);
    }
  } finally {
    await handle.close();
  }
}

function check(hash: Hash, name: string, checksums: Checksums): void {
  if (hash.digest('hex') !== checksums[name]) throw new RangeError(`the content of "${name}" does not fit its checksum`);
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
    const { bytesWritten } = await handle.write(bytes, done, Math.min(MOST_BYTES_AT_ONCE, bytes.length - done), position + done);
    done += bytesWritten;
  }
}

async function readAt(handle: FileHandle, begin: number, end: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(end - begin);
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(MOST_BYTES_AT_ONCE, bytes.length - done), begin + done);
    if (bytesRead === 0) throw new RangeError('it ends too early');
    done += bytesRead;
  }
  return bytes;
}
