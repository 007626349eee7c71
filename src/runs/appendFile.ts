import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { asStorageError } from './storageError';

/**
 * A file that only grows, by whole records. A record that did not fit (full disk) is taken back, so that the file ends with a
 * whole record; one that a crash tore apart stays, and readers skip it.
 */
export class AppendFile {
  private readonly descriptor: number;
  private size: number;

  constructor(private readonly file: string) {
    try {
      this.descriptor = openSync(file, 'a+');
      this.size = fstatSync(this.descriptor).size;
    } catch (error) {
      throw asStorageError(error, file);
    }
  }

  /** Bytes in the file. */
  get length(): number {
    return this.size;
  }

  append(record: Uint8Array): void {
    try {
      for (let written = 0; written < record.length;) written += writeSync(this.descriptor, record, written);
      this.size += record.length;
    } catch (error) {
      try {
        ftruncateSync(this.descriptor, this.size);
      } catch {
        // The torn record stays at the end; readers skip it.
      }
      throw asStorageError(error, this.file);
    }
  }

  /** The last byte, or undefined in an empty file. */
  lastByte(): number | undefined {
    if (this.size === 0) return undefined;
    const byte = Buffer.alloc(1);
    readSync(this.descriptor, byte, 0, 1, this.size - 1);
    return byte[0];
  }

  /** Safe against a power cut from here on. */
  sync(): void {
    try {
      fsyncSync(this.descriptor);
    } catch (error) {
      throw asStorageError(error, this.file);
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }
}
