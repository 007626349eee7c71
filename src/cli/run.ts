import { join, resolve } from 'node:path';
import type { ConfigFinding } from '../config/configFile';
import { readTextFromDisk } from '../config/readTextFromDisk';
import type { Device } from '../engine/engine';
import { runCausality } from '../runs/runCausality';
import type { RunOverrides } from '../worker/createRun';
import { resumeRun, startRun } from '../worker/launch';
import { causalityJson } from './causalityText';
import { exitCode, WrongUse, type Command, type CommandContext, type OptionValues } from './command';
import { writeFindings } from './findings';
import { foregroundRun, type ForegroundRequest } from './foregroundRun';
import { reportProblem } from './problem';
import { findRun, runsDirectoryOf } from './runArgument';
import { printableLines } from './terminal/printable';

export const command: Command = {
  summary: 'Train a config, in the foreground or detached.',
  usage:
    'run FILE [--detach] [--device cpu|webgpu] [--steps N] [--runs DIR] [--json]\n       moe-lab run --resume RUN [--detach] [--runs DIR] [--json]',
  options: {
    detach: { type: 'boolean' },
    device: { type: 'string' },
    steps: { type: 'string' },
    runs: { type: 'string' },
    resume: { type: 'string' },
  },
  async run(context) {
    const request = await requestOf(context);
    try {
      return context.values['detach'] === true ? await detached(request, context) : await foregroundRun(request, context, __dirname);
    } catch (error) {
      if (reportProblem(error, context.stderr, context.cwd)) return exitCode.findings;
      throw error;
    }
  },
};

async function requestOf({ positionals, values, stderr, cwd }: CommandContext): Promise<ForegroundRequest> {
  const [file, ...others] = positionals;
  const resume = values['resume'];
  if (others.length > 0) throw new WrongUse('Name one config; several runs are several commands.');
  const runsDirectory = runsDirectoryOf(values, cwd);
  const onWarning = (message: string): void => void stderr.write(printableLines(`moe-lab: ${message}\n`));
  if (typeof resume === 'string') {
    if (file !== undefined) throw new WrongUse('A resumed run has its config already: leave the file out.');
    if (values['device'] !== undefined || values['steps'] !== undefined) {
      throw new WrongUse('A resumed run goes on as it began: leave --device and --steps out.');
    }
    return { kind: 'resume', run: await findRun(resume, runsDirectory, cwd), onWarning };
  }
  if (file === undefined) throw new WrongUse('Name a config, as in moe-lab run smoe.moe.yaml, or a run with --resume.');
  const onFindings = (findings: readonly ConfigFinding[]): void => writeFindings(findings, stderr, cwd);
  return { kind: 'start', configFile: resolve(cwd, file), runsDirectory, overrides: overridesOf(values), onFindings, onWarning };
}

function overridesOf({ device, steps }: OptionValues): RunOverrides {
  if (device !== undefined && device !== 'cpu' && device !== 'webgpu')
    throw new WrongUse(`There is no device ${String(device)}; use cpu or webgpu.`);
  const count = steps === undefined ? undefined : Number(steps);
  if (count !== undefined && !(Number.isSafeInteger(count) && count > 0))
    throw new WrongUse(`--steps takes a positive whole number, not ${String(steps)}.`);
  return { ...(device === undefined ? {} : { device: device satisfies Device }), ...(count === undefined ? {} : { steps: count }) };
}

/** Returns once the worker trains; the run goes on by itself. */
async function detached(request: ForegroundRequest, { values, stdout, signal }: CommandContext): Promise<number> {
  const options = { bundleFolder: join(__dirname), ...(signal === undefined ? {} : { signal }) };
  const { run, description, status } =
    request.kind === 'resume'
      ? await resumeRun(request.run, { ...options, ...(request.onWarning === undefined ? {} : { onWarning: request.onWarning }) })
      : await startRun({ ...request, readText: readTextFromDisk, ...options });
  if (values['json'] === true) {
    const causality = causalityJson(runCausality(description));
    stdout.write(`${JSON.stringify({ schemaVersion: 1, type: 'started', run, pid: status.pid, ...causality })}\n`);
  } else stdout.write(`${run}\n`);
  return exitCode.done;
}
