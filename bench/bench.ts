import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { elementCount } from '../src/graph/dimensions';
import type { Session } from '../src/engine/engine';
import { createEngine } from '../src/engine/onnx/createEngine';
import { adamwUpdate, sumOfSquares } from '../src/engine/onnx/adamw';
import { OnnxGraph } from '../src/engine/onnx/graph';
import { gemm } from '../src/engine/onnx/lowering/operators';
import { loadRuntime } from '../src/engine/onnx/runtime';
import { createRuntimeSession, runSession } from '../src/engine/onnx/runtimeSession';
import { measureCounting } from './counting';
import { benchmarkModels, randomBatch, type BenchmarkModel, type Size } from './models';
import { profileTraining } from './profile';

/**
 * Tokens per second of whole training steps on the CPU, and where the time goes. Models take turns within a round, so that a machine
 * that slows down or wakes up does so for all of them; the median over rounds is shown.
 */

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string' },
    size: { type: 'string' },
    threads: { type: 'string' },
    profile: { type: 'boolean', default: true },
  },
  allowNegative: true,
});
const rounds = Number(flags.rounds ?? 7);
const threads = Number(flags.threads ?? 0);
const sizes: readonly Size[] = flags.size === 's' || flags.size === 'm' ? [flags.size] : ['s', 'm'];

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** GFLOP/s of one large float32 product with both operands as inputs: the yardstick for the GEMM share below. */
async function measurePeak(): Promise<number> {
  const side = 1024;
  const runtime = await loadRuntime();
  const graph = new OnnxGraph('peak');
  const product = gemm(graph, graph.input('a', 'float32', [side, side]), graph.input('b', 'float32', [side, side]), false, false);
  graph.output(graph.node('ReduceSum', [product]), 'float32');
  const session = await createRuntimeSession(runtime, graph.build().bytes, { device: 'cpu', threads });
  const matrix = () => new runtime.Tensor('float32', new Float32Array(side * side).fill(0.5), [side, side]);
  const feeds = { a: matrix(), b: matrix() };
  const times: number[] = [];
  for (let run = 0; run < 20; run++) times.push(await timed(() => runSession(session, feeds)));
  await session.release();
  return (2 * side ** 3) / (median(times) / 1000) / 1e9;
}

function measureAdamw(parameters: number): number {
  const arrays = Array.from({ length: 4 }, () => new Float32Array(parameters).fill(0.01)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const scalars = { step: 5, learningRate: 1e-4, rateScale: 1, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, gradientScale: 1 };
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    sumOfSquares(arrays[1]);
    adamwUpdate(...arrays, scalars);
    return performance.now() - start;
  });
  return median(times);
}

async function measure(models: readonly BenchmarkModel[]): Promise<Map<string, number>> {
  const engine = createEngine('cpu');
  const sessions: Session[] = [];
  for (const { program, batch, time } of models) {
    sessions.push(await engine.compile(program, { batch, time, microbatches: 1, seed: 1, threads }));
  }
  const times = models.map((): number[] => []);
  for (let round = 0; round < rounds + 2; round++) {
    for (const [index, model] of models.entries()) {
      const step = { step: round + 1, learningRate: 1e-3 };
      const milliseconds = await timed(async () => sessions[index]?.step([randomBatch(model, round)], step));
      // The first two rounds allocate.
      if (round >= 2) times[index]?.push(milliseconds);
    }
  }
  for (const session of sessions) await session.dispose();
  return new Map(models.map(({ name }, index) => [name, median(times[index] ?? [])]));
}

async function run(): Promise<void> {
  const counting = measureCounting(rounds).map(({ name, milliseconds }) => `${name} ${milliseconds.toFixed(1)} ms`);
  print(`Counting a config, from its text: ${counting.join(', ')}\n`);
  print(
    `CPU, ${threads === 0 ? availableParallelism() : threads} threads; float32 GEMM of 1024^3: ${(await measurePeak()).toFixed(0)} GFLOP/s`,
  );
  for (const size of sizes) {
    const models = benchmarkModels(size);
    const times = await measure(models);
    for (const model of models) {
      const parameters = model.program.parameters.reduce((sum, { shape }) => sum + elementCount(shape), 0);
      const milliseconds = times.get(model.name) ?? Number.NaN;
      const tokens = model.batch * model.time;
      print(
        `\n${size} ${model.name}: ${((tokens / milliseconds) * 1000).toFixed(0)} tokens/s, ${milliseconds.toFixed(1)} ms a step of ${tokens} tokens, ${(parameters / 1e6).toFixed(2)} M parameters`,
      );
      if (!flags.profile) continue;
      const profile = await profileTraining(model, threads, 5);
      const share = (part: number) => `${part.toFixed(1)} ms (${((100 * part) / profile.total).toFixed(0)} %)`;
      const optimiser = measureAdamw(parameters);
      const list = (map: ReadonlyMap<string, number>, count: number) =>
        [...map]
          .slice(0, count)
          .map(([name, part]) => `${name} ${share(part)}`)
          .join(', ');
      print(`  graph ${profile.total.toFixed(1)} ms under the profiler: ${list(profile.byKind, 9)}`);
      print(`  by part: ${list(profile.byScope, 9)}`);
      print(`  by operator: ${list(profile.byOperator, 12)}`);
      print(`  besides the graph: norm and AdamW ${optimiser.toFixed(1)} ms, and the copies of gradients out of it`);
    }
  }
}

void run();
