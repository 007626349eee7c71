import { existsSync } from 'node:fs';
import type { Device, DeviceReport } from '../engine/engine';
import { keepGpus } from '../runs/machineFile';
import { probeDevice } from '../worker/chooseNode';
import { exitCode, WrongUse, type Command } from './command';
import { reportProblem } from './problem';
import { runsDirectoryOf } from './runArgument';
import { textTable } from './textTable';

const devices: readonly Device[] = ['cpu', 'webgpu'];

export const command: Command = {
  summary: 'Say which devices can train here, with which GPUs, and why others cannot.',
  usage: 'devices [--runs DIR] [--json]',
  options: { runs: { type: 'string' } },
  async run({ positionals, values, stdout, stderr, cwd }) {
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
    const gpus = reports.find(({ device }) => device === 'webgpu')?.gpus;
    const runsDirectory = runsDirectoryOf(values, cwd);
    // Kept for checks of configs; a question makes no folder where nobody trains.
    if (gpus !== undefined && existsSync(runsDirectory)) {
      try {
        keepGpus(runsDirectory, gpus);
      } catch (error) {
        if (!reportProblem(error, stderr, cwd)) throw error;
      }
    }
    return reports.some((report) => report.available) ? exitCode.done : exitCode.findings;
  },
};
