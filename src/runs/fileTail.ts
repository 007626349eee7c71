import { open } from 'node:fs/promises';

const blockBytes = 1 << 20;

/** What a file holds from `offset` to its end, and its size; undefined if there is no such file. Reads in blocks. */
export async function readTail(
  file: string,
  offset: number,
  limit = Number.POSITIVE_INFINITY,
): Promise<{ readonly bytes: Uint8Array; readonly size: number } | undefined> {
  const handle = await open(file, 'r').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return undefined;
  try {
    const { size } = await handle.stat();
    const bytes = Buffer.alloc(Math.max(0, Math.min(size - offset, limit)));
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await handle.read(bytes, filled, Math.min(blockBytes, bytes.length - filled), offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return { bytes: bytes.subarray(0, filled), size };
  } finally {
    await handle.close();
  }
}
