import { isLive } from '../runs/liveness';
import { summariseRun } from '../runs/runIndex';
import { requestStop } from '../worker/client';
import { stopSweep } from '../worker/stopSweep';
import { exitCode, type Command } from './command';
import { reportProblem } from './problem';
import { findRun, oneRun, runsDirectoryOf } from './runArgument';

export const command: Command = {
  summary: 'Stop a run that trains, with a checkpoint to go on from.',
  notes: [
    'Members of a sweep that wait behind it are kept, and go on when the run is resumed.',
    '--sweep: drop them, also where the run itself is over.',
  ],
  usage: 'stop RUN [--sweep] [--runs DIR] [--json]',
  options: { runs: { type: 'string' }, sweep: { type: 'boolean' } },
  async run({ positionals, values, stdout, stderr, cwd }) {
    const run = await findRun(oneRun(positionals, 'stop'), runsDirectoryOf(values, cwd), cwd);
    const summary = await summariseRun(run);
    const ofSweep = values['sweep'] === true;
    const isTraining = summary !== undefined && isLive(summary.state);
    try {
      const stopped = ofSweep
        ? await stopSweep(run)
        : isTraining
          ? { run: summary, dropped: 0, route: await requestStop(summary.directory) }
          : undefined;
      if (stopped === undefined) {
        const nothing = ofSweep ? ', and nothing waits behind it' : '';
        stderr.write(`moe-lab: ${run} does not train: it is ${summary?.state ?? 'unreadable'}${nothing}.\n`);
        return exitCode.findings;
      }
      const { dropped, route } = stopped;
      const { directory } = stopped.run;
      if (values['json'] === true)
        stdout.write(`${JSON.stringify({ schemaVersion: 1, run: directory, requested: 'stop', route, dropped })}\n`);
      else {
        if (dropped > 0) stdout.write(`Dropped what waited behind it: ${dropped} ${dropped === 1 ? 'member' : 'members'}.\n`);
        else if (route === null) stdout.write('Dropped what waited behind it.\n');
        const how = route === 'file' ? '; no socket is reachable, so it will find the request as a file' : '';
        if (route !== null) stdout.write(`Asked ${directory} to stop${how}.\n`);
      }
      return exitCode.done;
    } catch (error) {
      if (reportProblem(error, stderr, cwd)) return exitCode.findings;
      throw error;
    }
  },
};
