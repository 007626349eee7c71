import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runFiles } from '../../src/runs/runFiles';
import { readExperts, readMetrics, start } from '../../src/runs/runReader';
import { RunWriter, writeStatus } from '../../src/runs/runWriter';
import { RunStorageError } from '../../src/runs/storageError';
import { aDescription, aLine, aStatus, tinyDisk } from './fixtures';

describe('a full disk', () => {
  it('is reported once with advice, and leaves files that end with a whole record', async ({ skip }) => {
    const disk = tinyDisk(64);
    if (disk === undefined) return skip('no permission to mount a tmpfs');
    writeStatus(disk, aStatus());
    writeFileSync(join(disk, 'something else'), Buffer.alloc(1 << 14));
    const writer = new RunWriter(disk, aDescription());
    let written = 0;
    const failure = ((): unknown => {
      try {
        for (;;) {
          writer.experts({ step: written + 1, layer: 0, counts: Float32Array.of(1, 2, 3) });
          writer.metrics(aLine(written + 1));
          written++;
        }
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toBeInstanceOf(RunStorageError);
    expect(failure).toMatchObject({ message: expect.stringContaining('disk is full'), advice: expect.stringContaining('Free space') });
    expect(written).toBeGreaterThan(100);

    const metrics = await readMetrics(disk, start);
    expect(metrics.corrupt).toBe(0);
    expect(metrics.records).toHaveLength(written);
    expect(readFileSync(runFiles.metrics(disk)).at(-1)).toBe(0x0a);
    expect((await readExperts(disk, start)).corrupt).toBe(0);

    // Not a byte is left, and still the run can say what happened to it.
    expect(() => writeFileSync(join(disk, 'filler'), Buffer.alloc(1 << 14))).toThrow(/ENOSPC/);
    writeStatus(disk, aStatus({ state: 'failed', failure: { message: 'disk full', advice: 'free space', step: written } }));
    expect(JSON.parse(readFileSync(runFiles.status(disk), 'utf8'))).toMatchObject({ state: 'failed', failure: { step: written } });

    // And it goes on once there is space.
    rmSync(join(disk, 'something else'));
    writer.rewind(written - 1);
    writer.metrics(aLine(written, 7));
    writer.close();
    expect((await readMetrics(disk, start)).records.at(-1)).toEqual(aLine(written, 7));
  });
});
