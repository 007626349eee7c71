import { describe, expect, it } from 'vitest';
import { ProgramBuilder } from '../../src/graph/builder';
import { differentiate } from '../../src/graph/gradients';
import { OnnxGraph } from '../../src/engine/onnx/graph';
import { lower } from '../../src/engine/onnx/lowering/lower';
import { sumRowsByProducts } from '../../src/engine/onnx/lowering/tokens';
import { loadRuntime } from '../../src/engine/onnx/runtime';
import { createRuntimeSession, floatsOf, runSession } from '../../src/engine/onnx/runtimeSession';
import { denseGradients, programOf } from '../support/programs';

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

describe('experts with quantised weights on the CPU', () => {
  it('reach the products as one matrix each, and so do their gradients: nothing joins or splits a stack', () => {
    const builder = new ProgramBuilder();
    const chosen = builder.input('chosen', [5, 1], 'int32');
    const routing = builder.route(chosen, 3);
    const x = builder.permute(builder.input('x', [5, 4], 'float32'), routing);
    const weight = builder.parameter('w', [3, 4, 4], { initialiser: { kind: 'normal', standardDeviation: 1 }, role: 'experts' });
    const y = builder.expertMatmul(x, builder.quantiseWeight(weight, 'ternary'), routing);
    const differentiated = differentiate(programOf(builder, builder.sum(y, [0, 1])));
    const { program } = differentiated;
    const lowered = lower(program, { device: 'cpu', mode: 'training', bindings: {}, wanted: [y.id, ...denseGradients(differentiated)] });
    expect(lowered.feeds.flatMap((feed) => (feed.kind === 'parameter' ? [feed.expert] : []))).toEqual([0, 1, 2]);
    expect(lowered.outputs.map((parts) => parts.length)).toEqual([1, 3]);
    const model = Buffer.from(lowered.model).toString('latin1');
    expect(model.match(/\/Round\//g)).toHaveLength(3);
    expect(model).not.toContain('/Unsqueeze/');
    // The rows of x, of the output's gradient and of the output: two splits, one concatenation.
    expect(model.match(/\/Split\//g)).toHaveLength(2);
    expect(model.match(/\/Concat\//g)).toHaveLength(1);
  });
});
