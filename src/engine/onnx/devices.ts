import { execFile } from 'node:child_process';
import type { Device, DeviceReport } from '../engine';

/** A driver that hangs is as good as none. */
const PROBE_MILLISECONDS = 60_000;

/** Tries every device in a child process of its own. `probeEntryPath` is the bundled probeEntry.ts. Never throws. */
export function probeDevices(probeEntryPath: string): Promise<DeviceReport[]> {
  const devices: readonly Device[] = ['cpu', 'webgpu'];
  return Promise.all(devices.map((device) => probeDevice(probeEntryPath, device)));
}

/** `largestTensor`: bytes of the largest tensor that the device is to hold; see largestParameter in deviceLimits.ts. */
export function probeDevice(
  probeEntryPath: string,
  device: Device,
  environment: Readonly<Record<string, string | undefined>> = process.env,
  largestTensor = 0,
): Promise<DeviceReport> {
  return new Promise((resolve) => {
    const env = { ...environment, ORT_DISABLE_TELEMETRY: '1', ELECTRON_RUN_AS_NODE: '1' };
    execFile(process.execPath, [probeEntryPath, device, String(largestTensor)], { env, timeout: PROBE_MILLISECONDS }, (error, stdout) => {
      resolve(readReport(stdout) ?? { device, available: false, detail: failure(device, error) });
    });
  });
}

function readReport(stdout: string): DeviceReport | undefined {
  try {
    const last = stdout.trim().split('\n').at(-1) ?? '';
    const report = JSON.parse(last) as DeviceReport;
    return typeof report.available === 'boolean' ? report : undefined;
  } catch {
    return undefined;
  }
}

function failure(device: Device, error: (Error & { readonly killed?: boolean; readonly signal?: string | null }) | null): string {
  if (error === null) return 'The probe ended without a report.';
  if (error.killed === true) return `The probe did not end within ${PROBE_MILLISECONDS / 1000} s.`;
  if (typeof error.signal === 'string') return `The ${device} provider crashed (${error.signal}): its driver is not usable.`;
  return error.message;
}
