import { resolve } from 'node:path';
import { loadConfig } from '../config/loadConfig';
import { readTextFromDisk } from '../config/readTextFromDisk';
import { modelCost } from '../parity/closedForm/modelCost';
import { estimate } from '../runs/throughput';
import { measureMachine } from '../worker/measureMachine';
import { ConfigRejected } from '../worker/runFailure';
import { exitCode, WrongUse, type Command, type OptionValues } from './command';
import { reportProblem } from './problem';
import { runsDirectoryOf } from './runArgument';
import { duration, grouped } from './terminal/figures';
import { printableLines } from './terminal/printable';

/** Long enough for a mean that settles, short enough to wait for. */
const DEFAULT_SECONDS = 10;

export const command: Command = {
  summary: 'Measure how fast this machine trains a config, and say how long that takes to the end.',
  usage: 'measure FILE [--seconds N] [--runs DIR] [--json]',
  options: { seconds: { type: 'string' }, runs: { type: 'string' } },
  async run({ positionals, values, stdout, stderr, cwd, signal }) {
    const [file, ...others] = positionals;
    if (file === undefined || others.length > 0) throw new WrongUse('Name one config, as in moe-lab measure smoe.moe.yaml.');
    const seconds = secondsOf(values);
    const runsDirectory = runsDirectoryOf(values, cwd);
    const configFile = resolve(cwd, file);
    try {
      const { experiment, findings } = loadConfig(configFile, readTextFromDisk);
      if (experiment === undefined) throw new ConfigRejected(configFile, findings);
      const { measurement, steps } = await measureMachine({
        experiment,
        runsDirectory,
        seconds,
        bundleFolder: __dirname,
        onWarning: (message) => void stderr.write(printableLines(`moe-lab: ${message}\n`)),
        ...(signal === undefined ? {} : { signal }),
      });
      const { tokensPerSecond, device, macsPerToken } = measurement;
      const { tokens, secondsToFinish } = estimate(experiment, modelCost(experiment.model), [measurement]) ?? {
        tokens: 0,
        secondsToFinish: 0,
      };
      if (values['json'] === true) {
        const figures = { device, steps, tokensPerSecond, macsPerToken, tokens, secondsToFinish };
        stdout.write(`${JSON.stringify({ schemaVersion: 1, file, ...figures })}\n`);
      } else {
        const speed = `${grouped(Math.round(tokensPerSecond))} tokens/s on ${device} (${grouped(steps)} ${steps === 1 ? 'step' : 'steps'})`;
        stdout.write(printableLines(`${file}: ${speed}; ${grouped(tokens)} tokens to the end take about ${duration(secondsToFinish)}\n`));
      }
      return exitCode.done;
    } catch (error) {
      if (reportProblem(error, stderr, cwd)) return exitCode.findings;
      throw error;
    }
  },
};

function secondsOf({ seconds }: OptionValues): number {
  if (seconds === undefined) return DEFAULT_SECONDS;
  const value = Number(seconds);
  if (!(value > 0 && value <= 3600)) throw new WrongUse(`--seconds takes a number above 0 and at most 3600, not ${String(seconds)}.`);
  return value;
}
