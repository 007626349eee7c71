import { readRunResult } from '../runs/runResult';
import { exitCode, type CommandContext } from './command';
import { openRun, trainInForeground, type ForegroundRequest } from './foregroundRun';
import { reportProblem } from './problem';
import { comparisonTable } from './terminal/comparisonTable';
import { printable } from './terminal/printable';

/** As many as stand side by side in a terminal. */
const mostCompared = 6;

/**
 * Trains members of a sweep in this process, one after the other, each a run of its own. One that fails is no reason to leave the others
 * out, as a family is often there to find what fails; an interruption is. Resolves with the exit code.
 */
export async function foregroundSweep(
  requests: readonly ForegroundRequest[],
  context: CommandContext,
  bundleFolder: string,
): Promise<number> {
  const { values, stdout, stderr, cwd, signal } = context;
  const json = values['json'] === true;
  const runs: string[] = [];
  let failures = 0;
  let problem = '';
  for (const [index, request] of requests.entries()) {
    if (signal?.aborted === true) break;
    if (!json) stdout.write(`${index > 0 ? '\n' : ''}Member ${index + 1} of ${requests.length}\n`);
    try {
      const { run, description } = await openRun(request, bundleFolder);
      runs.push(run);
      if ((await trainInForeground(run, description, context, bundleFolder)).state === 'failed') failures += 1;
    } catch (error) {
      failures += 1;
      if (!reportProblem(error, stderr, cwd)) throw error;
      // What keeps two members in a row from starting keeps the others, too.
      const message = error instanceof Error ? error.message : '';
      if (message === problem) break;
      problem = message;
    }
  }
  if (!json) {
    const results = (await Promise.all(runs.map((run) => readRunResult(run)))).filter((result) => result !== undefined);
    if (results.length > 1 && results.length <= mostCompared) stdout.write(`\n${comparisonTable(results)}\n`);
    const left = requests.length - runs.length;
    if (left > 0) stdout.write(printable(`${left} of ${requests.length} members were not trained; --member N trains one.`) + '\n');
  }
  return failures > 0 ? exitCode.findings : exitCode.done;
}
