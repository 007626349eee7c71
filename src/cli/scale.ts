import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { readTextFromDisk } from '../config/readTextFromDisk';
import { bytesIn, secondsIn } from '../language/budgetTexts';
import { loadPair, MEASURE_SECONDS, scaledHere } from '../language/scalePair';
import type { Budget } from '../parity/scaleToBudget';
import { Measurements } from '../runs/measurements';
import { RunIndex } from '../runs/runIndex';
import { machineRoom } from '../worker/machineRoom';
import { measureMachine } from '../worker/measureMachine';
import { exitCode, WrongUse, type Command, type OptionValues } from './command';
import { reportProblem } from './problem';
import { runsDirectoryOf } from './runArgument';
import { printableLines } from './terminal/printable';
import { writeNew } from './writeNew';

export const command: Command = {
  summary: 'Shrink a config and its baseline to a budget of time or memory on this machine, at parity.',
  usage: 'scale FILE [--time 30m] [--memory 4GiB] [--out DIR] [--runs DIR] [--json]',
  options: { time: { type: 'string' }, memory: { type: 'string' }, out: { type: 'string' }, runs: { type: 'string' } },
  async run({ positionals, values, stdout, stderr, cwd, signal }) {
    const [name, ...others] = positionals;
    if (name === undefined || others.length > 0) throw new WrongUse('Name one config, as in moe-lab scale mh-moe.moe.yaml --time 30m.');
    const runsDirectory = runsDirectoryOf(values, cwd);
    const budget = budgetOf(values, runsDirectory);
    const file = resolve(cwd, name);
    const warn = (message: string): void => void stderr.write(printableLines(`moe-lab: ${message}\n`));
    try {
      const pair = loadPair(file, readTextFromDisk);
      const folder = typeof values['out'] === 'string' ? resolve(cwd, values['out']) : dirname(file);
      const scaled = await scaledHere({
        pair,
        budget,
        measurements: await new Measurements().read(runsDirectory, await new RunIndex(runsDirectory).refresh()),
        folder,
        taken: existsSync,
        measure: async (experiment) => {
          warn(`measuring how fast this machine trains d_model ${experiment.model.d_model}, ${MEASURE_SECONDS} s`);
          const stop = signal === undefined ? {} : { signal };
          const { measurement } = await measureMachine({
            experiment,
            runsDirectory,
            seconds: MEASURE_SECONDS,
            bundleFolder: __dirname,
            ...stop,
          });
          return measurement;
        },
      });
      const { subject, baseline, seconds, bytes, residuals, before, summary } = scaled;
      for (const config of [baseline, subject]) writeNew(config.file, config.text);
      if (values['json'] === true) {
        const figures = { seconds: seconds ?? null, bytes: bytes ?? null, residuals, before };
        stdout.write(`${JSON.stringify({ schemaVersion: 1, subject: subject.file, baseline: baseline.file, ...figures })}\n`);
      } else stdout.write(printableLines(`${[...summary, ...[subject, baseline].map((config) => config.file)].join('\n')}\n`));
      return exitCode.done;
    } catch (error) {
      if (reportProblem(error, stderr, cwd)) return exitCode.findings;
      throw error;
    }
  },
};

/** Where nothing is said, the memory that this machine has. */
function budgetOf({ time, memory }: OptionValues, runsDirectory: string): Budget {
  if (time === undefined && memory === undefined) return { bytes: machineRoom(runsDirectory).memory };
  return {
    ...(typeof time === 'string' ? { seconds: said(secondsIn(time), `--time takes a time such as 30m or 2h, not ${time}.`) } : {}),
    ...(typeof memory === 'string' ? { bytes: said(bytesIn(memory), `--memory takes an amount such as 4GiB, not ${memory}.`) } : {}),
  };
}

function said(amount: number | undefined, otherwise: string): number {
  if (amount === undefined) throw new WrongUse(otherwise);
  return amount;
}
