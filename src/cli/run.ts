import { join, resolve } from 'node:path';
import type { ConfigFinding } from '../config/configFile';
import { loadConfig } from '../config/loadConfig';
import { readTextFromDisk } from '../config/readTextFromDisk';
import type { Device } from '../engine/engine';
import { runCausality } from '../runs/runCausality';
import { queueOfFinished, resumeRun, startRun } from '../worker/launch';
import type { RunOverrides } from '../worker/loadExperiment';
import { causalityJson } from './causalityText';
import { exitCode, WrongUse, type Command, type CommandContext, type OptionValues } from './command';
import { writeFindings } from './findings';
import { foregroundRun, type ForegroundRequest } from './foregroundRun';
import { foregroundSweep } from './foregroundSweep';
import { reportProblem } from './problem';
import { findRun, runsDirectoryOf } from './runArgument';
import { membersToTrain } from './sweepMembers';
import { printableLines } from './terminal/printable';

export const command: Command = {
  summary: 'Train a config, or each member of its sweep in turn.',
  notes: [
    'A sweep trains its members in this terminal; --member trains one of them.',
    '--detach: return as soon as the run trains. It goes on by itself, and the members of a sweep after it.',
    '--resume: go on from the newest checkpoint, and then with what waits behind the run.',
  ],
  usage:
    'run FILE [--member N|NAME] [--detach] [--device cpu|webgpu] [--steps N] [--runs DIR] [--json]\n       moe-lab run --resume RUN [--detach] [--runs DIR] [--json]',
  options: {
    detach: { type: 'boolean' },
    device: { type: 'string' },
    steps: { type: 'string' },
    runs: { type: 'string' },
    resume: { type: 'string' },
    member: { type: 'string' },
  },
  async run(context) {
    try {
      const [request, ...others] = await requestsOf(context);
      if (context.values['detach'] === true) return await detached(request, others, context);
      if (others.length > 0) return await foregroundSweep([request, ...others], context, __dirname);
      // Nothing is left to train of the run itself: what waits behind it trains by itself, as it would have done.
      if (request.kind === 'resume' && (await queueOfFinished(request.run)) !== undefined) return await detached(request, [], context);
      return await foregroundRun(request, context, __dirname);
    } catch (error) {
      if (reportProblem(error, context.stderr, context.cwd)) return exitCode.findings;
      throw error;
    }
  },
};

/** One, or one for each member of a sweep. */
async function requestsOf({
  positionals,
  values,
  stderr,
  cwd,
}: CommandContext): Promise<readonly [ForegroundRequest, ...ForegroundRequest[]]> {
  const [file, ...others] = positionals;
  const resume = values['resume'];
  if (others.length > 0) throw new WrongUse('Name one config; several runs are several commands.');
  const runsDirectory = runsDirectoryOf(values, cwd);
  const onWarning = (message: string): void => void stderr.write(printableLines(`moe-lab: ${message}\n`));
  if (typeof resume === 'string') {
    if (file !== undefined) throw new WrongUse('A resumed run has its config already: leave the file out.');
    if (['device', 'steps', 'member'].some((option) => values[option] !== undefined)) {
      throw new WrongUse('A resumed run goes on as it began: leave --device, --steps and --member out.');
    }
    return [{ kind: 'resume', run: await findRun(resume, runsDirectory, cwd), onWarning }];
  }
  if (file === undefined) throw new WrongUse('Name a config, as in moe-lab run smoe.moe.yaml, or a run with --resume.');
  const onFindings = (findings: readonly ConfigFinding[]): void => writeFindings(findings, stderr, cwd);
  const configFile = resolve(cwd, file);
  const whole = { kind: 'start', configFile, runsDirectory, overrides: overridesOf(values), onFindings, onWarning } as const;
  const named = values['member'];
  const members = membersToTrain(loadConfig(configFile, readTextFromDisk), typeof named === 'string' ? named : undefined);
  const [first, ...rest] = members ?? [];
  if (first === undefined) return [whole];
  // What is noteworthy about the config is so for all: once is enough.
  return [{ ...whole, member: first }, ...rest.map((member) => ({ ...whole, member, onFindings: () => undefined }))];
}

function overridesOf({ device, steps }: OptionValues): RunOverrides {
  if (device !== undefined && device !== 'cpu' && device !== 'webgpu')
    throw new WrongUse(`There is no device ${String(device)}; use cpu or webgpu.`);
  const count = steps === undefined ? undefined : Number(steps);
  if (count !== undefined && !(Number.isSafeInteger(count) && count > 0))
    throw new WrongUse(`--steps takes a positive whole number, not ${String(steps)}.`);
  return { ...(device === undefined ? {} : { device: device satisfies Device }), ...(count === undefined ? {} : { steps: count }) };
}

function memberOf(request: ForegroundRequest): readonly number[] {
  return request.kind === 'start' && request.member !== undefined ? [request.member] : [];
}

/** Returns once the worker trains; the run goes on by itself, and after it `others`, members of the same sweep. */
async function detached(
  request: ForegroundRequest,
  others: readonly ForegroundRequest[],
  { values, stdout, signal }: CommandContext,
): Promise<number> {
  const options = { bundleFolder: join(__dirname), ...(signal === undefined ? {} : { signal }) };
  const { run, description, status } =
    request.kind === 'resume'
      ? await resumeRun(request.run, { ...options, ...(request.onWarning === undefined ? {} : { onWarning: request.onWarning }) })
      : await startRun({ ...request, thenMembers: others.flatMap(memberOf), readText: readTextFromDisk, ...options });
  if (values['json'] === true) {
    const causality = causalityJson(runCausality(description));
    stdout.write(`${JSON.stringify({ schemaVersion: 1, type: 'started', run, pid: status.pid, ...causality })}\n`);
  } else stdout.write(`${run}\n`);
  return exitCode.done;
}
