import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { probeDevice, probeDevices } from '../../src/engine/onnx/devices';
import { bundle } from './support/bundle';

const folder = mkdtempSync(join(tmpdir(), 'moe-lab-probe-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function script(name: string, source: string): string {
  const file = join(folder, `${name}.cjs`);
  writeFileSync(file, source);
  return file;
}

describe('device probes', () => {
  it('report every device, the CPU as there', async () => {
    const reports = await probeDevices(await bundle('src/engine/onnx/probeEntry.ts', 'probe-devices'));
    expect(reports.map(({ device }) => device)).toEqual(['cpu', 'webgpu']);
    expect(reports[0]).toMatchObject({ available: true });
    expect(reports.every(({ detail }) => detail.length > 0)).toBe(true);
  });
  it('survive a driver that ends the process', async () => {
    const report = await probeDevice(script('abort', 'process.abort()'), 'webgpu');
    expect(report).toMatchObject({ device: 'webgpu', available: false });
    expect(report.detail).toContain('SIGABRT');
  });
  it.runIf(process.platform === 'linux')('say what was wrong where there is no GPU', async () => {
    const probe = await bundle('src/engine/onnx/probeEntry.ts', 'probe-none');
    const report = await probeDevice(probe, 'webgpu', { ...process.env, VK_ICD_FILENAMES: join(folder, 'none.json') });
    expect(report.available).toBe(false);
    expect(report.detail).toMatch(/Vulkan|driver/);
  });
  it('do not take noise for a report', async () => {
    expect(await probeDevice(script('noise', 'console.log("hello")'), 'cpu')).toMatchObject({ available: false });
  });
});
