import { alarmTitles } from '../runs/alarms';
import { RunIndex, type RunSummary } from '../runs/runIndex';
import { sweepText } from '../runs/sweepSummary';
import { causalityJson, causalityTag } from './causalityText';
import { exitCode, WrongUse, type Command } from './command';
import { runsDirectoryOf } from './runArgument';
import { perplexityText, compact } from './terminal/figures';
import { meanPerplexity } from './terminal/progressLine';
import { textTable } from './textTable';

export const command: Command = {
  summary: 'List the runs of a folder, newest first.',
  usage: 'runs [--runs DIR] [--json]',
  options: { runs: { type: 'string' } },
  async run({ positionals, values, stdout, cwd }) {
    if (positionals.length > 0) throw new WrongUse('moe-lab runs takes no file; moe-lab show RUN is about one run.');
    const runsDirectory = runsDirectoryOf(values, cwd);
    const runs = await new RunIndex(runsDirectory).refresh();
    if (values['json'] === true) stdout.write(`${JSON.stringify({ schemaVersion: 1, runsDirectory, runs: runs.map(jsonOfRun) })}\n`);
    else stdout.write(runs.length === 0 ? `No runs in ${runsDirectory}; moe-lab run FILE starts one.\n` : `${table(runs)}\n`);
    return exitCode.done;
  },
};

/** JSON has no NaN: a figure that is not finite is a string, as in the run directory. */
function jsonOfRun({ causality, ...run }: RunSummary): object {
  const number = (value: number | null): number | string | null => (value === null || Number.isFinite(value) ? value : String(value));
  return {
    ...run,
    trainPerplexity: number(run.trainPerplexity),
    meanK: number(run.meanK),
    expertUsage: number(run.expertUsage),
    alarms: run.alarms.map((alarm) => ({ ...alarm, figure: number(alarm.figure) })),
    validationPerplexity: Object.fromEntries(Object.entries(run.validationPerplexity).map(([set, value]) => [set, number(value)])),
    ...causalityJson(causality),
  };
}

function table(runs: readonly RunSummary[]): string {
  // What the perplexities before it are not; only where some run has it.
  const tags = runs.map(({ causality }) => causalityTag(causality));
  const tagged = tags.some((tag) => tag !== '');
  const varying = runs.some(({ meanK }) => meanK !== null);
  const following = runs.some(({ sweep }) => sweep !== null);
  const retrieving = runs.some(({ expertUsage }) => expertUsage !== null);
  const more = [...(varying ? ['mean K'] : []), ...(retrieving ? ['retrieved, validation'] : [])];
  const alarmed = runs.some(({ alarms }) => alarms.length > 0);
  const last = [...(alarmed ? ['alarms'] : []), ...(following ? ['sweep'] : [])];
  const heading = ['run', 'name', 'state', 'step', 'train', 'validation', ...(tagged ? [''] : []), 'tokens/s', ...more, ...last];
  const rows = runs.map((run, index) => [
    run.id,
    run.name,
    run.remote ? `${run.state} on ${run.host}` : run.state,
    `${run.step}/${run.totalSteps}`,
    perplexityText(run.trainPerplexity),
    perplexityText(meanPerplexity(Object.values(run.validationPerplexity))),
    ...(tagged ? [tags[index] ?? ''] : []),
    run.tokensPerSecond === null ? '-' : compact(run.tokensPerSecond),
    ...(varying ? [run.meanK === null ? '-' : run.meanK.toFixed(2)] : []),
    ...(retrieving ? [run.expertUsage === null ? '-' : `${(100 * run.expertUsage).toFixed(1)} %`] : []),
    ...(alarmed ? [run.alarms.map(({ name }) => alarmTitles[name]).join(', ')] : []),
    ...(following ? [run.sweep === null ? '' : sweepText(run.sweep)] : []),
  ]);
  return textTable(
    [heading, ...rows],
    [false, false, false, true, true, true, ...(tagged ? [false] : []), true, ...more.map(() => true), ...last.map(() => false)],
  );
}
