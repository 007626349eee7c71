import type { EventLine, RunStatus } from '../runs/format';
import { readStatusOrLost } from '../runs/readRun';
import { readEvents, start } from '../runs/runReader';
import { runCausality } from '../runs/runCausality';
import { summariseRun } from '../runs/runIndex';
import { readRunResult, type RunResult } from '../runs/runResult';
import { sweepProblems, sweepText, waitingNames, type SweepSummary } from '../runs/sweepSummary';
import { causalityJson } from './causalityText';
import { exitCode, WrongUse, type Command } from './command';
import { findRun, runsDirectoryOf } from './runArgument';
import { comparisonNotes, comparisonTable } from './terminal/comparisonTable';
import { printable } from './terminal/printable';

export const command: Command = {
  summary: 'Show a run in full, or several side by side.',
  usage: 'show RUN... [--runs DIR] [--json]',
  options: { runs: { type: 'string' } },
  async run({ positionals, values, stdout, cwd }) {
    if (positionals.length === 0) throw new WrongUse('Name a run, as in moe-lab show RUN; `moe-lab runs` lists them.');
    const shown: ShownRun[] = [];
    for (const name of positionals) shown.push(await read(await findRun(name, runsDirectoryOf(values, cwd), cwd)));
    stdout.write(
      values['json'] === true ? `${JSON.stringify({ schemaVersion: 1, runs: shown.map(asJson) }, finiteOrText)}\n` : asText(shown),
    );
    return exitCode.done;
  },
};

interface ShownRun {
  readonly result: RunResult;
  readonly status: RunStatus;
  readonly events: readonly EventLine[];
  /** What waits for its end. */
  readonly sweep: SweepSummary | null;
}

async function read(run: string): Promise<ShownRun> {
  const result = await readRunResult(run);
  const status = result && (await readStatusOrLost(run, result.description));
  if (result === undefined || status === undefined) throw new WrongUse(`${run} is not a run that this version can read.`);
  const sweep = (await summariseRun(run))?.sweep ?? null;
  return { result, status, events: (await readEvents(run, start)).records, sweep };
}

function asJson({ result, status, events, sweep }: ShownRun): object {
  const { directory, description, state, step, ...figures } = result;
  const causality = causalityJson(runCausality(description));
  return {
    directory,
    state,
    step,
    totalSteps: status.totalSteps,
    failure: status.failure,
    ...figures,
    ...causality,
    sweep,
    description,
    events,
  };
}

/** `1: 42.0 %, 2: 31.5 %, ...`: the shares of the units that took so many experts, without those that hardly any took. */
function kTaken(shares: readonly number[]): string {
  const shown = shares.flatMap((share, index) => (share < 0.0005 ? [] : [`${index + 1}: ${(100 * share).toFixed(1)} %`]));
  return shown.join(', ');
}

function finiteOrText(_: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
}

function asText(shown: readonly ShownRun[]): string {
  const details = shown.length === 1 ? shown.map(detailsOf) : [];
  const results = shown.map(({ result }) => result);
  return `${[...details, comparisonTable(results), comparisonNotes(results)].join('\n\n')}\n`;
}

function detailsOf({ result, status, events, sweep }: ShownRun): string {
  const { description, directory, state } = result;
  const { engine, git, launch, versions } = description;
  const node = launch.find((rung) => rung.chosen);
  return [
    `${description.name}  ${state}`,
    directory,
    `config   ${description.configFile}`,
    `created  ${description.createdAt}`,
    `device   ${engine.device}${engine.threads > 0 ? `, ${engine.threads} threads` : ''} on ${status.host}`,
    `commit   ${git === null ? 'not in git' : `${git.commit.slice(0, 12)}${git.dirty ? ', with changes' : ''}`}`,
    `node     ${versions.node}${node === undefined ? '' : `, ${node.executable} (${node.rung}: ${node.reason})`}`,
    ...(result.kShares === null ? [] : [`k taken  ${kTaken(result.kShares)}`]),
    ...result.alarms.map(({ message }) => `alarm    ${message}`),
    ...(status.failure === null ? [] : [`failed   at step ${status.failure.step}: ${status.failure.message} ${status.failure.advice}`]),
    ...(sweep === null ? [] : sweepLines(sweep)),
    '',
    ...events.map((event) => `${event.time}  ${event.message}`),
  ]
    .map(printable)
    .join('\n');
}

function sweepLines(sweep: SweepSummary): readonly string[] {
  const names = waitingNames(sweep);
  return [
    `sweep    ${sweepText(sweep)}${names === '' ? '' : `: ${names}`}`,
    ...sweepProblems(sweep).map((problem) => `         ${problem}`),
  ];
}
