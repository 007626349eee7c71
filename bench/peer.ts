import { parseArgs } from 'node:util';
import type { Session } from '../src/engine/engine';
import { createEngine } from '../src/engine/onnx/createEngine';
import { stateEntries, piecesOf } from '../src/engine/stateLayout';
import { elementCount } from '../src/graph/dimensions';
import { peerBatch, peerProgram, retrieved, tokens, width } from './peerProgram';

/**
 * Training steps of one PEER layer with more and more experts. The sizes take turns within a round, so that a machine that slows down does
 * so for all. All are warm: every page of tables and moments has been written.
 */

const { values: flags } = parseArgs({
  options: { rounds: { type: 'string' }, threads: { type: 'string' } },
});
const rounds = Number(flags.rounds ?? 15);
const threads = Number(flags.threads ?? 0);
const warmUps = 3;

const sides = [128, 512, 1024] as const;
type Side = (typeof sides)[number];

interface Measured {
  readonly session: Session;
  readonly milliseconds: number[];
  readonly rows: number[];
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const print = (line: string): void => void process.stdout.write(`${line}\n`);
const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

async function prepared(side: Side): Promise<Measured> {
  const program = peerProgram(side * side);
  const options = { batch: 1, time: tokens, microbatches: 1, seed: 1, threads };
  const start = performance.now();
  const session = await createEngine('cpu').compile(program, options);
  const seconds = (performance.now() - start) / 1000;
  const entries = stateEntries(program, options).filter(({ kind }) => kind === 'firstMoment' || kind === 'secondMoment');
  for (const entry of entries) await session.importState(piecesOf(entry, [new Float32Array(elementCount(entry.shape))]));
  const parameters = program.parameters.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  print(
    `${side}^2 experts: ${(parameters / 1e6).toFixed(1)} M parameters, made in ${seconds.toFixed(1)} s; resident with all moments ${gibibytes(process.memoryUsage().rss)}`,
  );
  return { session, milliseconds: [], rows: [] };
}

async function run(): Promise<void> {
  print(
    `One PEER layer on the CPU, d_model ${width}, ${retrieved} experts a token, ${tokens} tokens a step. Memory adds up over the three sizes.`,
  );
  const all = new Map<Side, Measured>();
  for (const side of sides) all.set(side, await prepared(side));
  let resident = 0;
  for (let round = 0; round < rounds + warmUps; round++) {
    for (const { session, milliseconds, rows } of all.values()) {
      const start = performance.now();
      const { retrievals } = await session.step([peerBatch(round)], { step: round + 1, learningRate: 1e-4 });
      if (round < warmUps) continue;
      milliseconds.push(performance.now() - start);
      rows.push(retrievals[0]?.experts.length ?? Number.NaN);
      resident = Math.max(resident, process.memoryUsage().rss);
    }
  }
  const figures = (side: Side) => {
    const { milliseconds = [], rows = [] } = all.get(side) ?? {};
    const [time, touched] = [median(milliseconds), median(rows)];
    return { time, touched, perRow: (1000 * time) / touched, fastest: Math.min(...milliseconds) };
  };
  for (const side of sides) {
    const { time, touched, perRow, fastest } = figures(side);
    print(
      `${side}^2: ${time.toFixed(0)} ms a step (fastest ${fastest.toFixed(0)}), ${touched} rows of each table touched, ${perRow.toFixed(2)} us a row`,
    );
  }
  const asked = (what: string, value: number, most: number, unit = '') =>
    print(`${what}: ${value.toFixed(2)}${unit}, asked at most ${most}${unit}: ${value <= most ? 'held' : 'NOT held'}`);
  asked('Step, 1024^2 to 512^2', figures(1024).time / figures(512).time, 1.3);
  asked('Time per touched row, 1024^2 to 128^2', figures(1024).perRow / figures(128).perRow, 1.5);
  asked('Resident memory, all three sizes together', resident / 1e9, 10, ' GB');
  for (const { session } of all.values()) await session.dispose();
}

void run();
