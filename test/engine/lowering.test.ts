import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ProgramBuilder, type Tensor } from '../../src/graph/builder';
import { differentiate } from '../../src/graph/gradients';
import { OnnxGraph } from '../../src/engine/onnx/graph';
import { lower } from '../../src/engine/onnx/lowering/lower';
import { candidates } from '../../src/engine/onnx/lowering/ranking';
import { sumRowsByProducts } from '../../src/engine/onnx/lowering/tokens';
import { loadRuntime } from '../../src/engine/onnx/runtime';
import { createRuntimeSession, floatsOf, runSession } from '../../src/engine/onnx/runtimeSession';
import { denseGradients, programOf } from '../support/programs';
import { runValues } from './support/deviceTasks';

describe('rows summed by products', () => {
  // 6 indices and 7 rows: a limit of 42 elements is one section, 18 three sections of at most 3 rows, 1 a section for each row.
  it.each([42, 18, 1])('are the same in sections of at most %d elements', async (limit) => {
    const runtime = await loadRuntime();
    const graph = new OnnxGraph('sections');
    const [indices, values] = [graph.input('indices', 'int32', [6]), graph.input('values', 'float32', [6, 2])];
    const output = graph.output(sumRowsByProducts(graph, indices, values, { count: 6, rows: 7, limit }), 'float32');
    const { bytes, nodes } = graph.build();
    expect(nodes.filter(({ operator }) => operator === 'MatMul')).toHaveLength(limit === 42 ? 1 : limit === 18 ? 3 : 7);
    const session = await createRuntimeSession(runtime, bytes, { device: 'cpu', threads: 1 });
    const outputs = await runSession(session, {
      indices: new runtime.Tensor('int32', Int32Array.of(6, 0, 3, 3, 2, 6), [6]),
      values: new runtime.Tensor('float32', Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), [6, 2]),
    });
    await session.release();
    expect([...floatsOf(outputs, output)]).toEqual([3, 4, 0, 0, 9, 10, 12, 14, 0, 0, 0, 0, 12, 14]);
  });
});

/** How many operators of a kind a lowered model has; their names hold it. */
function operators(model: Uint8Array, operator: string): number {
  return Buffer.from(model).toString('latin1').split(`/${operator}/`).length - 1;
}

/** One layer of experts with a weight each, [5, 4] -> [5, 4], on the choices that `choose` makes; lowered for the CPU with its gradient. */
function lowerExperts(choose: (builder: ProgramBuilder) => Tensor, quantised = false) {
  const builder = new ProgramBuilder();
  const routing = builder.route(choose(builder), 3);
  const x = builder.permute(builder.input('x', [5, 4], 'float32'), routing);
  const weight = builder.parameter('w', [3, 4, 4], { initialiser: { kind: 'normal', standardDeviation: 1 }, role: 'experts' });
  const y = builder.expertMatmul(x, quantised ? builder.quantiseWeight(weight, 'ternary') : weight, routing);
  const differentiated = differentiate(programOf(builder, builder.sum(y, [0, 1])));
  const wanted = [y.id, ...denseGradients(differentiated)];
  return lower(differentiated.program, { device: 'cpu', mode: 'training', bindings: {}, wanted });
}

const topOne = (builder: ProgramBuilder): Tensor => builder.topK(builder.input('scores', [5, 3], 'float32'), 1);

describe('experts with quantised weights on the CPU', () => {
  it('reach the products as one matrix each, and so do their gradients: nothing joins or splits a stack', () => {
    const { feeds, outputs, model } = lowerExperts(topOne, true);
    expect(feeds.flatMap((feed) => (feed.kind === 'parameter' ? [feed.expert] : []))).toEqual([0, 1, 2]);
    expect(outputs.map((parts) => parts.length)).toEqual([1, 3]);
    expect(operators(model, 'Round')).toBe(3);
    expect(operators(model, 'Unsqueeze')).toBe(0);
    // The rows of x, of the output's gradient and of the output: two splits, one concatenation.
    expect(operators(model, 'Split')).toBe(2);
    expect(operators(model, 'Concat')).toBe(1);
  });
});

describe('rows that go nowhere', () => {
  const limited = (builder: ProgramBuilder): Tensor =>
    builder.firstChoices(topOne(builder), builder.input('taken', [5, 1], 'int32'), 3).indices;

  it('are multiplied by nothing: as many products as where all rows go somewhere', () => {
    const [some, all] = [lowerExperts(limited), lowerExperts(topOne)];
    // Forward and the weights' gradients.
    expect([operators(some.model, 'Gemm'), operators(all.model, 'Gemm')]).toEqual([6, 6]);
  });

  it('are not looked for among choices of top-k, in another shape either', () => {
    const reshaped = (builder: ProgramBuilder) => builder.reshape(builder.reshape(topOne(builder), [5]), [5, 1]);
    // Concatenations: the output's rows, and where some are nowhere the shape of their zeros.
    const joined = [topOne, reshaped, limited].map((choose) => operators(lowerExperts(choose).model, 'Concat'));
    expect(joined).toEqual([1, 1, 2]);
  });
});

describe('row tables', () => {
  it('are read once for the forward and the backward pass, and their gradients leave the graph without the rows', async () => {
    const builder = new ProgramBuilder();
    const [units, k, width] = [4, 3, 5];
    const table = (name: string) =>
      builder.parameter(name, [9, width], { initialiser: { kind: 'normal', standardDeviation: 1 }, role: 'experts', gradient: 'rows' });
    const indices = builder.input('indices', [units, k], 'int32');
    const mix = builder.parameter('mix', [width, width], { initialiser: { kind: 'normal', standardDeviation: 1 }, role: 'ffn' });
    const x = builder.matmul(builder.input('x', [units, width], 'float32'), mix);
    const y = builder.rowSum(table('up'), indices, builder.activation('gelu', builder.rowDot(table('down'), indices, x)));
    const { program, gradients } = differentiate(programOf(builder, builder.sum(y, [0, 1])));
    const wanted = gradients.flatMap((gradient) =>
      gradient.kind === 'dense' ? [gradient.value] : gradient.parts.flatMap((part) => [part.indices, part.coefficients, part.vectors]),
    );
    expect(operators(lower(program, { device: 'cpu', mode: 'training', bindings: {}, wanted }).model, 'Gather')).toBe(2);
    const floats = (count: number) => Float32Array.from({ length: count }, (_, index) => Math.sin(index));
    const { values } = await runValues('cpu', {
      kind: 'values',
      program,
      bindings: {},
      mode: 'training',
      wanted,
      feeds: program.values.flatMap(({ dtype, shape }, id) => {
        const count = shape.reduce<number>((product, size) => product * Number(size), 1);
        return [[id, dtype === 'int32' ? Int32Array.from({ length: count }, (_, index) => index % 9) : floats(count)] as const];
      }),
    });
    // mix, then of each table indices, coefficients and vectors, in the order of the parameters.
    expect(values.map(({ shape }) => shape)).toEqual([
      [5, 5],
      [4, 3],
      [4, 3],
      [4, 5],
      [4, 3],
      [4, 3],
      [4, 5],
    ]);
    expect(values.map(({ data }) => data instanceof Int32Array)).toEqual([false, true, false, false, true, false, false]);
  });
});

describe('a sinusoid', () => {
  it('is a few vectors in the model, and a constant once the runtime has it', async () => {
    const builder = new ProgramBuilder();
    const distances = builder.sinusoid('2*time', 128);
    const product = builder.matmul(distances, builder.input('x', [128, 2], 'float32'));
    const { model } = lower(programOf(builder, builder.sum(product, [0, 1])), {
      device: 'cpu',
      mode: 'training',
      bindings: { time: 512 },
      wanted: [product.id],
    });
    // Distances, coarse and fine frequencies, and what the nodes take.
    expect(model.length).toBeLessThan(4 * (1024 + 64 + 64) + 2000);
    const folder = mkdtempSync(join(tmpdir(), 'moe-lab-sinusoid-'));
    const optimisedModel = join(folder, 'optimised.onnx');
    const session = await createRuntimeSession(await loadRuntime(), model, { device: 'cpu', threads: 1, optimisedModel });
    await session.release();
    const optimised = readFileSync(optimisedModel);
    rmSync(folder, { recursive: true });
    expect(operators(model, 'Sin') + operators(model, 'Cos')).toBe(2);
    expect(operators(optimised, 'Sin') + operators(optimised, 'Cos')).toBe(0);
    expect(optimised.length).toBeGreaterThan(4 * 1024 * 128);
  });
});

describe('product keys', () => {
  it('sum only pairs of ranks that can be among the best, and none that can is missing', () => {
    expect(candidates(16)).toHaveLength(50);
    for (const k of [1, 2, 3, 5, 8]) {
      const possible = Array.from({ length: k * k }, (_, flat) => ({ first: Math.floor(flat / k), second: flat % k }));
      // Before (i, j) come all pairs of ranks no higher in both.
      const earlier = (pair: { first: number; second: number }) =>
        possible.filter(({ first, second }) => first <= pair.first && second <= pair.second).length - 1;
      expect(candidates(k)).toEqual(possible.filter((pair) => earlier(pair) < k));
    }
  });
});
