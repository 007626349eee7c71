import { isLive, type ObservedState } from '../runs/liveness';
import { summariseRun } from '../runs/runIndex';
import { dropSweepQueue } from '../runs/sweepQueue';
import { leftBehind } from '../runs/sweepSummary';
import { requestStop } from '../worker/client';
import { exitCode, type Command } from './command';
import { reportProblem } from './problem';
import { findRun, oneRun, runsDirectoryOf } from './runArgument';

export const command: Command = {
  summary: 'Stop a run that trains, with a checkpoint to go on from.',
  usage: 'stop RUN [--sweep] [--runs DIR] [--json]',
  options: { runs: { type: 'string' }, sweep: { type: 'boolean' } },
  async run({ positionals, values, stdout, stderr, cwd }) {
    const run = await findRun(oneRun(positionals, 'stop'), runsDirectoryOf(values, cwd), cwd);
    const summary = await summariseRun(run);
    const state: ObservedState | undefined = summary?.state;
    const isTraining = state !== undefined && isLive(state);
    const waiting = values['sweep'] === true ? leftBehind(summary?.sweep ?? null) : 0;
    if (!isTraining && waiting === 0) {
      const nothing = values['sweep'] === true ? ', and nothing waits behind it' : '';
      stderr.write(`moe-lab: ${run} does not train: it is ${state ?? 'unreadable'}${nothing}.\n`);
      return exitCode.findings;
    }
    try {
      // First: should it end at this moment, the next is not started.
      if (waiting > 0) dropSweepQueue(run);
      const route = isTraining ? await requestStop(run) : null;
      if (values['json'] === true)
        stdout.write(`${JSON.stringify({ schemaVersion: 1, run, requested: 'stop', route, dropped: waiting })}\n`);
      else {
        if (waiting > 0) stdout.write(`Dropped what waited behind it: ${waiting} ${waiting === 1 ? 'member' : 'members'}.\n`);
        const how = route === 'file' ? '; no socket is reachable, so it will find the request as a file' : '';
        if (isTraining) stdout.write(`Asked ${run} to stop${how}.\n`);
      }
      return exitCode.done;
    } catch (error) {
      if (reportProblem(error, stderr, cwd)) return exitCode.findings;
      throw error;
    }
  },
};
