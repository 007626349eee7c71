import { type FileHandle, open } from 'node:fs/promises';
import { WindowSearch, type TextWindow } from './windowSearch';

/** Text of a validation set that is in the training text, too. */
export interface TextOverlap {
  /** Of `data.validation`. */
  readonly set: string;
  /** Absolute: the file of the set with most of what was found. */
  readonly validationFile: string;
  /** Absolute: the training file where most of it was found. */
  readonly trainingFile: string;
  /** Windows of the set that were looked for, and how many were found. */
  readonly windows: number;
  readonly found: number;
  /** Whether it is found because a file is in both, by its path. */
  readonly sameFile: boolean;
}

export interface OverlapRequest {
  /** Absolute paths by validation set. */
  readonly validation: Readonly<Record<string, readonly string[]>>;
  /** Absolute paths. */
  readonly training: readonly string[];
  readonly signal?: AbortSignal;
}

/** Windows looked for of each validation set: one leaked document in a hundred is found. */
const WINDOWS_PER_SET = 1000;
/**
 * Bytes of a window, white space reduced: about the 50 tokens from which on 2107.06499 calls text a duplicate. What templates repeat by
 * themselves is shorter.
 */
const WINDOW_BYTES = 200;
/** A window of fewer different bytes is a ruler or a table's border: it is in every text. */
const LEAST_DIFFERENT_BYTES = 12;
const CHUNK_BYTES = 1 << 20;
/** Fewer found windows are quotations, unless there are no more. */
const LEAST_FOUND = 3;
const LEAST_SHARE = 0.01;

/**
 * Looks for windows of each validation set in the training text: windows are spread evenly, white space counts as one blank, so that other
 * line ends or indentation hide nothing. Reads the training text once; memory is that of the windows and of a chunk. Sets of which less
 * than a hundredth is found are left out. A file that cannot be read has no text: who trains on it says so. Throws the signal's reason when
 * it is aborted.
 */
export async function textOverlap({ validation, training, signal }: OverlapRequest): Promise<readonly TextOverlap[]> {
  const known = new Set(training);
  const overlaps: TextOverlap[] = [];
  const search = new WindowSearch(WINDOW_BYTES);
  const sets: { readonly set: string; readonly windows: readonly TextWindow[] }[] = [];
  for (const [set, files] of Object.entries(validation)) {
    const same = files.filter((file) => known.has(file));
    const [first] = same;
    if (first !== undefined) {
      overlaps.push({ set, validationFile: first, trainingFile: first, windows: files.length, found: same.length, sameFile: true });
      continue;
    }
    sets.push({ set, windows: await windowsOf(files, search, signal) });
  }
  for (const file of training) {
    if (search.isEmpty) break;
    search.begin(file);
    await readChunks(file, signal, (chunk) => search.add(chunk));
  }
  return [...overlaps, ...sets.flatMap(({ set, windows }) => overlapOf(set, windows))];
}

function overlapOf(set: string, windows: readonly TextWindow[]): TextOverlap[] {
  const found = windows.filter(({ foundIn }) => foundIn !== undefined);
  if (found.length === 0 || found.length < Math.min(LEAST_FOUND, windows.length) || found.length < LEAST_SHARE * windows.length) return [];
  const validationFile = mostFrequent(found.map(({ file }) => file));
  const trainingFile = mostFrequent(
    found.flatMap(({ file, foundIn }) => (file === validationFile && foundIn !== undefined ? [foundIn] : [])),
  );
  return [{ set, validationFile, trainingFile, windows: windows.length, found: found.length, sameFile: false }];
}

function mostFrequent(names: readonly string[]): string {
  const times = new Map<string, number>();
  for (const name of names) times.set(name, (times.get(name) ?? 0) + 1);
  return [...times].toSorted(([, one], [, other]) => other - one)[0]?.[0] ?? '';
}

/** Evenly spread windows of some files, told to `search`. */
async function windowsOf(files: readonly string[], search: WindowSearch, signal: AbortSignal | undefined): Promise<readonly TextWindow[]> {
  const sizes: number[] = [];
  for (const file of files) sizes.push(await sizeOf(file));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const spacing = Math.max(WINDOW_BYTES, total / WINDOWS_PER_SET);
  const windows: TextWindow[] = [];
  for (const [index, file] of files.entries()) {
    const handle = await open(file, 'r').catch(() => undefined);
    if (handle === undefined) continue;
    try {
      for (let at = 0; at + WINDOW_BYTES <= (sizes[index] ?? 0) && windows.length <= WINDOWS_PER_SET; at += spacing) {
        signal?.throwIfAborted();
        // Room for white space that is reduced.
        const window = search.look(file, await readAt(handle, Math.floor(at), 2 * WINDOW_BYTES), LEAST_DIFFERENT_BYTES);
        if (window !== undefined) windows.push(window);
      }
    } finally {
      await handle.close();
    }
  }
  return windows;
}

async function sizeOf(file: string): Promise<number> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return 0;
  try {
    return (await handle.stat()).size;
  } finally {
    await handle.close();
  }
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  const { bytesRead } = await handle.read(bytes, 0, length, position);
  return bytes.subarray(0, bytesRead);
}

async function readChunks(file: string, signal: AbortSignal | undefined, use: (chunk: Uint8Array) => void): Promise<void> {
  const handle = await open(file, 'r').catch(() => undefined);
  if (handle === undefined) return;
  const buffer = new Uint8Array(CHUNK_BYTES);
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, CHUNK_BYTES, null).catch(() => ({ bytesRead: 0 }));
      if (bytesRead === 0) return;
      use(buffer.subarray(0, bytesRead));
    }
  } finally {
    await handle.close();
  }
}
