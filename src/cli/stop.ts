import { isLive, type ObservedState } from '../runs/liveness';
import { summariseRun } from '../runs/runIndex';
import { requestStop } from '../worker/client';
import { exitCode, type Command } from './command';
import { reportProblem } from './problem';
import { findRun, oneRun, runsDirectoryOf } from './runArgument';

export const command: Command = {
  summary: 'Stop a run that trains, with a checkpoint to go on from.',
  usage: 'stop RUN [--runs DIR] [--json]',
  options: { runs: { type: 'string' } },
  async run({ positionals, values, stdout, stderr, cwd }) {
    const run = await findRun(oneRun(positionals, 'stop'), runsDirectoryOf(values, cwd), cwd);
    const state: ObservedState | undefined = (await summariseRun(run))?.state;
    if (state === undefined || !isLive(state)) {
      stderr.write(`moe-lab: ${run} does not train: it is ${state ?? 'unreadable'}.\n`);
      return exitCode.findings;
    }
    try {
      const route = await requestStop(run);
      if (values['json'] === true) stdout.write(`${JSON.stringify({ schemaVersion: 1, run, requested: 'stop', route })}\n`);
      else
        stdout.write(`Asked ${run} to stop${route === 'file' ? '; no socket is reachable, so it will find the request as a file' : ''}.\n`);
      return exitCode.done;
    } catch (error) {
      if (reportProblem(error, stderr, cwd)) return exitCode.findings;
      throw error;
    }
  },
};
