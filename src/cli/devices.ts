import type { Device, DeviceReport } from '../engine/engine';
import { probeDevice } from '../worker/launch';
import { exitCode, WrongUse, type Command } from './command';
import { textTable } from './textTable';

const devices: readonly Device[] = ['cpu', 'webgpu'];

export const command: Command = {
  summary: 'Say which devices can train here, and why others cannot.',
  usage: 'devices [--json]',
  options: {},
  async run({ positionals, values, stdout }) {
    if (positionals.length > 0) throw new WrongUse('moe-lab devices takes no argument.');
    const reports: DeviceReport[] = [];
    // One after the other, each in a process of its own: a driver may crash the one that asks.
    for (const device of devices) reports.push(await probeDevice(device, { bundleFolder: __dirname }));
    if (values['json'] === true) stdout.write(`${JSON.stringify({ schemaVersion: 1, devices: reports })}\n`);
    else
      stdout.write(
        `${textTable(
          reports.map(({ device, available, detail }) => [device, available ? 'yes' : 'no', detail]),
          [false, false, false],
        )}\n`,
      );
    return reports.some((report) => report.available) ? exitCode.done : exitCode.findings;
  },
};
