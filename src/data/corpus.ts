import { constants } from 'node:buffer';
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { type ConfigPath, DataError } from './dataError';
import { resolveFiles } from './resolveFiles';
import { TextCheck } from './textCheck';

/**
 * Text in memory, one byte per token, the files' contents one after another with nothing between them.
 * Memory: the text's size once, plus one chunk while it loads; tokens become int32 only in the batch at hand.
 */
export interface Corpus {
  readonly name: string;
  /** Absolute paths, in the order of the tokens. */
  readonly files: readonly string[];
  readonly tokens: Uint8Array;
  /** Of the tokens. */
  readonly sha256: string;
  /** The largest token, so that a vocabulary that is too small is found before training. */
  readonly largestToken: number;
}

export interface CorpusRequest {
  readonly name: string;
  /** Files or globs. */
  readonly patterns: readonly string[];
  /** The config's folder. */
  readonly folder: string;
  readonly configPath: ConfigPath;
}

const CHUNK_BYTES = 4 << 20;

/** Reads a corpus. Throws DataError where files are missing, unreadable, empty or not text. */
export async function loadCorpus({ name, patterns, folder, configPath }: CorpusRequest): Promise<Corpus> {
  const files = await resolveFiles(patterns, folder, configPath);
  const sizes = await Promise.all(files.map((file) => stat(file).then((found) => found.size, unreadable(file, configPath))));
  const total = sizes.reduce((sum, size) => sum + size, 0);
  if (total > constants.MAX_LENGTH) {
    throw new DataError(
      `The ${name} text has ${total} bytes; at most ${constants.MAX_LENGTH} fit into memory.`,
      'Name fewer files.',
      configPath,
    );
  }
  const buffer = new Uint8Array(total);
  const hash = createHash('sha256');
  let length = 0;
  for (const file of files) length += await readInto(buffer.subarray(length), file, hash, configPath);
  if (length === 0) {
    throw new DataError(
      files.length === 1 ? `"${files[0]}" is empty.` : `The ${files.length} files of the ${name} text are empty.`,
      'Put text into it, or name other files.',
      configPath,
    );
  }
  const tokens = buffer.subarray(0, length);
  return { name, files, tokens, sha256: hash.digest('hex'), largestToken: largest(tokens) };
}

/** Reads a file to the front of `target` (as far as it reaches: a file that grows meanwhile is cut) and returns its length. */
async function readInto(target: Uint8Array, file: string, hash: Hash, configPath: ConfigPath): Promise<number> {
  let handle: FileHandle | undefined;
  const check = new TextCheck();
  let length = 0;
  try {
    handle = await open(file, 'r');
    while (length < target.length) {
      const { bytesRead } = await handle.read(target, length, Math.min(CHUNK_BYTES, target.length - length));
      if (bytesRead === 0) break;
      const chunk = target.subarray(length, length + bytesRead);
      hash.update(chunk);
      check.add(chunk);
      length += bytesRead;
    }
  } catch (cause) {
    return unreadable(file, configPath)(cause);
  } finally {
    await handle?.close();
  }
  if (check.problem !== undefined) {
    throw new DataError(
      `"${file}" does not look like text: ${check.problem}.`,
      'Name text files only, in UTF-8; convert UTF-16 and other encodings first.',
      configPath,
    );
  }
  return length;
}

function unreadable(file: string, configPath: ConfigPath): (cause: unknown) => never {
  return (cause) => {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new DataError(`"${file}" cannot be read: ${reason}.`, 'Check that it exists and that you may read it.', configPath, { cause });
  };
}

function largest(tokens: Uint8Array): number {
  let most = 0;
  for (const token of tokens) if (token > most) most = token;
  return most;
}
