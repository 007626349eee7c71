import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { readResolvedExperiment } from '../config/resolvedExperiment';
import { createThreadedEngine } from '../engine/threaded/threadHost';
import { measureTraining } from '../training/measure';
import type { MeasureLine, MeasureTask } from './measureProtocol';
import { failureOf } from './runFailure';

/** The measuring process: trains what its standard input says for a while, writes nothing to the disk, and says how fast that was. */
async function main(): Promise<void> {
  const { experiment: stated, seconds } = JSON.parse(await text(process.stdin)) as MeasureTask;
  const { experiment } = readResolvedExperiment(stated);
  if (experiment?.train === undefined) throw new Error('There is no training to measure.');
  const engine = createThreadedEngine(join(__dirname, 'engineThread.js'), experiment.engine.device);
  const figures = await measureTraining({
    experiment: { ...experiment, train: experiment.train },
    engine,
    seconds,
    onStep: (measured) => say({ kind: 'step', figures: measured }),
  });
  say({ kind: 'measured', figures });
}

function say(line: MeasureLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    const { message, advice } = failureOf(error, 0);
    // Written before the process ends.
    process.stdout.write(`${JSON.stringify({ kind: 'failed', message, advice } satisfies MeasureLine)}\n`, () => process.exit(1));
  },
);
