import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { addMeasurement, keepGpus, machineFile, readGpus, readMachineFile, type KnownGpu } from '../../src/runs/machineFile';
import type { Measurement } from '../../src/runs/throughput';
import { temporaryFolder } from './fixtures';

const l4: KnownGpu = { name: 'NVIDIA L4', bytes: 23034 * 2 ** 20, shared: false };
const h200: KnownGpu = { name: 'NVIDIA H200', bytes: 143771 * 2 ** 20, shared: false };

const measurement: Measurement = {
  trained: 'a',
  host: 'here',
  device: 'webgpu',
  tokensPerSecond: 100,
  macsPerToken: 1000,
  measuredAt: '2026-03-01T12:00:00.000Z',
};

describe('GPUs in machine.json', () => {
  it('are those of a host, in place of what it had before, beside what was measured', async () => {
    const runs = join(temporaryFolder(), '.moe-lab', 'runs');
    expect(await readGpus(runs, 'here')).toBeUndefined();
    keepGpus(runs, [l4], 'here');
    addMeasurement(runs, measurement);
    keepGpus(runs, [h200, l4], 'elsewhere');
    keepGpus(runs, [h200], 'here');
    expect(await readGpus(runs, 'here')).toEqual([h200]);
    expect(await readGpus(runs, 'elsewhere')).toEqual([h200, l4]);
    expect(await readGpus(runs, 'nowhere')).toBeUndefined();
    expect(readMachineFile(runs)).toEqual([measurement]);
    // Taken out of it, one is known to have none.
    keepGpus(runs, [], 'here');
    expect(await readGpus(runs, 'here')).toEqual([]);
  });

  it('are written only where that is news, and a folder is made only for a GPU', async () => {
    const runs = join(temporaryFolder(), 'runs');
    keepGpus(runs, [], 'here');
    expect(() => statSync(runs)).toThrow(/ENOENT/);
    keepGpus(runs, [l4], 'here');
    const before = readFileSync(machineFile(runs), 'utf8');
    writeFileSync(machineFile(runs), `${before}\n`);
    keepGpus(runs, [{ shared: false, bytes: l4.bytes, name: l4.name }], 'here');
    expect(readFileSync(machineFile(runs), 'utf8')).toBe(`${before}\n`);
  });

  it('are unknown in a file of before there were any, which keeps what it has', async () => {
    const runs = temporaryFolder();
    writeFileSync(machineFile(runs), JSON.stringify({ schemaVersion: 1, measurements: [measurement] }));
    expect(await readGpus(runs, 'here')).toBeUndefined();
    keepGpus(runs, [l4], 'here');
    expect([await readGpus(runs, 'here'), readMachineFile(runs)]).toEqual([[l4], [measurement]]);
  });

  it.each([
    '{"schemaVersion":1,"measurements":[],"machines":[{"host":"here","gpus":[{"name":"a","bytes":-1,"shared":false}],"askedAt":""}]}',
    '[',
  ])('are unknown where it says %j', async (text) => {
    const runs = temporaryFolder();
    mkdirSync(runs, { recursive: true });
    writeFileSync(machineFile(runs), text);
    expect(await readGpus(runs, 'here')).toBeUndefined();
  });
});
