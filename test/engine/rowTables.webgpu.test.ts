import { afterAll, describe, expect, it, vi } from 'vitest';
import { ProgramBuilder } from '../../src/graph/builder';
import type { Program } from '../../src/graph/program';
import { probeDevice } from '../../src/engine/onnx/devices';
import { programOf } from '../support/programs';
import { tinyBatch, trainingTask } from './conformance';
import { bundle } from './support/bundle';
import { runTraining, type TrainingResult } from './support/deviceTasks';
import { findGpu, gpuRunner } from './support/gpu';
import { stateOf } from './support/referenceStep';
import { tableProgram } from './support/tableProgram';

// Compiling shaders for a software GPU takes long, and longer on a busy machine.
vi.setConfig({ testTimeout: 900_000 });

/** A program with one parameter that is too large for most devices, of 8 GiB. */
function hugeProgram(): Program {
  const builder = new ProgramBuilder();
  const targets = builder.reshape(builder.input('targets', ['batch', 'time'], 'int32'), ['batch*time']);
  const tokens = builder.reshape(builder.input('tokens', ['batch', 'time'], 'int32'), ['batch*time']);
  const table = builder.parameter('huge', [2 ** 23, 256], { initialiser: { kind: 'constant', value: 0 }, role: 'embedding' });
  return programOf(builder, builder.sum(builder.crossEntropy(builder.gatherRows(table, tokens), targets), [0]));
}

const gpu = await findGpu();
if ('reason' in gpu) {
  process.stderr.write(`Tables on WebGPU skipped: ${gpu.reason}\n`);
  describe.skip(`WebGPU (${gpu.reason})`, () => {
    it('needs an adapter');
  });
} else {
  const runner = await gpuRunner(gpu.environment);
  afterAll(() => runner.end());

  it('tables with row gradients are trained as on the CPU, and the device reads what the host has', async () => {
    const task = trainingTask(tableProgram(), 6, { evaluate: [tinyBatch(50)] });
    const [onGpu, onCpu] = [await runner.train(task), await runTraining('cpu', task)];
    for (const { kind, name } of onCpu.final) {
      const [actual, expected] = [stateOf(onGpu.final, kind, name), stateOf(onCpu.final, kind, name)];
      const difference = expected.reduce((most, x, i) => Math.max(most, Math.abs(x - (actual[i] ?? Number.NaN))), 0);
      expect(difference, `${kind} ${name}`).toBeLessThan(1e-5);
    }
    const losses = ({ metrics, evaluations }: TrainingResult) => [
      ...metrics.flatMap(({ loss, gradientNorm }) => [loss, gradientNorm]),
      ...evaluations.map(({ negativeLogLikelihood }) => negativeLogLikelihood),
    ];
    losses(onGpu).forEach((loss, index) => expect(loss).toBeCloseTo(losses(onCpu)[index] ?? Number.NaN, 4));

    // A session that begins with the state as the host had it: what this device read is what it would have been given.
    const resumed = await runner.train({ ...task, steps: [], state: onGpu.final });
    expect(resumed.evaluations).toEqual(onGpu.evaluations);
    expect(resumed.final).toEqual(onGpu.final);
  });

  it('a step leaves one tensor of each table on the device', async () => {
    const program = tableProgram();
    const live = await runner.liveTensors({ kind: 'liveTensors', training: trainingTask(program, 3) });
    const dense = program.parameters.filter(({ gradient }) => gradient === 'dense').length;
    const state = 3 * dense + (program.parameters.length - dense);
    expect(live).toEqual([state, state, state, 0]);
  });

  it('no graph of a step leaves the device', async () => {
    const copies = await runner.copies({ kind: 'copies', program: tableProgram(), bindings: { batch: 2, time: 6 } });
    expect(copies).toEqual({ training: 0, accumulate: 0, sumOfSquares: 0, adamw: 0, replaceRows: 0 });
  });

  it('a parameter beyond the buffers of the device is refused by name and limit, and the process lives', async () => {
    const refused = await runner.train(trainingTask(hugeProgram(), 0)).then(
      () => undefined,
      (error: unknown) => String(error),
    );
    if (refused === undefined) {
      process.stderr.write('The refusal of a large parameter was not seen: this device has buffers of 8 GiB.\n');
      return;
    }
    expect(refused).toMatch(/The parameter "huge" \[8388608, 256\] does not fit on this device/);
    expect(refused).toMatch(/8,192 MiB is too large, the largest buffer it allows \(maxBufferSize\) has [\d,.]+ MiB/);
    const { metrics } = await runner.train(trainingTask(tableProgram(), 1));
    expect(metrics[0]?.loss).toBeGreaterThan(0);
  });

  it('the probe of a device takes a tensor that fits and says why another does not', async () => {
    const probe = await bundle('src/engine/onnx/probeEntry.ts', 'probe-size');
    expect(await probeDevice(probe, 'webgpu', gpu.environment, 2 ** 27 + 2 ** 20)).toMatchObject({ available: true });
    const { available, detail } = await probeDevice(probe, 'webgpu', gpu.environment, 2 ** 33);
    if (available) process.stderr.write('A probe that refuses was not seen: this device has buffers of 8 GiB.\n');
    else expect(detail).toMatch(/^The model does not fit on the device: a tensor of 8,192 MiB is too large, the largest buffer/);
  });
}
