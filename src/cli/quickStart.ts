import { join, relative } from 'node:path';
import { writeSampleWorkspace, type SampleWorkspace } from '../data/sampleWorkspace';
import { readRunResult } from '../runs/runResult';
import { exitCode, WrongUse } from './command';
import { openRun, trainInForeground } from './foregroundRun';
import { interruption } from './interruption';
import { reportProblem } from './problem';
import { quickStartArguments, quickStartUsage } from './quickStartArguments';
import { comparisonNotes, comparisonTable, type EntropyFloor } from './terminal/comparisonTable';
import { grouped } from './terminal/figures';

/**
 * What `npm start` runs: an SMoE and its MH-MoE twin of equal compute, trained on a sample corpus on the CPU, then compared.
 * `quickStart.js [FOLDER] [--steps N]`: the sample workspace is made in FOLDER; fewer steps are for a quick look.
 */
const configs = ['smoe.moe.yaml', 'mh-moe.moe.yaml'] as const;

async function main(): Promise<number> {
  const { stdout } = process;
  const given = quickStartArguments(process.argv.slice(2));
  if (given === undefined) {
    stdout.write(`${quickStartUsage}\n`);
    return exitCode.done;
  }
  const { folder, steps } = given;
  const signal = interruption(() => stdout.write('\nStopping after this step, with a checkpoint; Ctrl-C again ends at once.\n'));

  const workspace = await writeSampleWorkspace(folder);
  stdout.write(`Sample workspace: ${folder}\n`);
  const runsDirectory = join(folder, '.moe-lab', 'runs');
  const runs: string[] = [];
  for (const config of configs) {
    const overrides = steps === undefined ? {} : { steps };
    const onWarning = (message: string): void => void process.stderr.write(`${message}\n`);
    const request = { kind: 'start', configFile: join(folder, config), runsDirectory, overrides, onWarning } as const;
    const { run, description } = await openRun(request, __dirname);
    stdout.write(
      `\n${description.name}: ${grouped(description.parameters.total)} parameters, ${grouped(description.macsPerToken)} MACs per token\n`,
    );
    const surroundings = { values: {}, stdout, stderr: process.stderr, signal };
    const status = await trainInForeground(run, description, surroundings, __dirname);
    runs.push(run);
    if (status.state === 'failed') return exitCode.findings;
    if (status.state === 'stopped') break;
  }
  const results = (await Promise.all(runs.map((run) => readRunResult(run)))).filter((result) => result !== undefined);
  stdout.write(`\n${comparisonTable(results, floorsOf(workspace))}\n\n`);
  stdout.write(`${comparisonNotes(results)}\nThe entropy floor is what a model that knows the grammar of the sample text would reach.\n\n`);
  stdout.write(`The runs lie in ${relative(process.cwd(), runsDirectory)}; npm run try opens them in VS Code.\n`);
  return exitCode.done;
}

function floorsOf({ entropy: { prose, arithmetic, lists, code } }: SampleWorkspace): Readonly<Record<string, EntropyFloor>> {
  return { prose: prose.validation, arithmetic: arithmetic.validation, lists: lists.validation, code: code.validation };
}

void main()
  .catch((error: unknown) => {
    if (error instanceof WrongUse) {
      console.error(error.message);
      return exitCode.wrongUse;
    }
    if (!reportProblem(error, process.stderr, process.cwd())) console.error(error);
    return exitCode.findings;
  })
  .then((code) => {
    process.exitCode = code;
  });
