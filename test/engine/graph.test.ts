import { describe, expect, it } from 'vitest';
import { int, OnnxGraph } from '../../src/engine/onnx/graph';
import { ProtobufWriter } from '../../src/engine/onnx/protobuf';
import { blockCount, blockSize } from '../../src/engine/onnx/lowering/blockedExperts';
import { parameterGroups } from '../../src/engine/onnx/optimiserGraphs';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('protobuf', () => {
  // Examples of https://protobuf.dev/programming-guides/encoding.
  it('writes varints, text and messages', () => {
    expect(hex(new ProtobufWriter().integer(1, 150).finish())).toBe('089601');
    expect(hex(new ProtobufWriter().text(2, 'testing').finish())).toBe('120774657374696e67');
    expect(hex(new ProtobufWriter().message(3, (nested) => nested.integer(1, 150)).finish())).toBe('1a03089601');
  });
  it("writes negative numbers as 64-bit two's complement, and large ones", () => {
    expect(hex(new ProtobufWriter().integer(1, -2).finish())).toBe('08feffffffffffffffff01');
    expect(hex(new ProtobufWriter().integer(1, 2 ** 35).finish())).toBe('08808080808001');
  });
  it('writes floats in little-endian, and grows', () => {
    expect(hex(new ProtobufWriter().float(2, 1).finish())).toBe('150000803f');
    expect(new ProtobufWriter().blob(1, new Uint8Array(5000)).finish()).toHaveLength(5003);
  });
});

describe('an ONNX graph', () => {
  it('gives the same tensor for the same operator on the same inputs', () => {
    const graph = new OnnxGraph('g');
    const x = graph.input('x', 'float32', [2]);
    expect(graph.node('Exp', [x])).toBe(graph.node('Exp', [x]));
    expect(graph.node('Softmax', [x], { attributes: { axis: int(0) } })).not.toBe(
      graph.node('Softmax', [x], { attributes: { axis: int(-1) } }),
    );
    expect(graph.scalar(2)).toBe(graph.scalar(2));
    expect(graph.scalar(2)).not.toBe(graph.integer(2));
  });
  it('leaves out what no output needs', () => {
    const graph = new OnnxGraph('g');
    const [x, y] = [graph.input('x', 'float32', [2]), graph.input('y', 'float32', [2])];
    graph.node('Exp', [y]);
    graph.output(graph.node('Neg', [x]), 'float32');
    const { nodes, inputs } = graph.build();
    expect(nodes.map(({ operator }) => operator)).toEqual(['Neg']);
    expect(inputs).toEqual(['x']);
  });
  it('gives an input that is an output, and a tensor that is two outputs, nodes of their own', () => {
    const graph = new OnnxGraph('g');
    const x = graph.input('x', 'float32', [2]);
    const negative = graph.node('Neg', [x]);
    const names = [graph.output(x, 'float32'), graph.output(negative, 'float32'), graph.output(negative, 'float32')];
    expect(new Set(names).size).toBe(3);
    expect(graph.build().nodes.map(({ operator }) => operator)).toEqual(['Neg', 'Identity', 'Identity']);
  });
});

describe('blocks', () => {
  it.each([
    [1, 1],
    [16, 8],
    [1000, 8],
    [4096, 40],
    [200_000, 96],
  ])('hold %d pairs of %d experts, however they are routed', (pairs, experts) => {
    const size = blockSize(pairs);
    // The worst routing leaves every expert one row into its last block.
    const worst = Math.min(experts, pairs);
    const blocksNeeded = worst + Math.floor((pairs - worst) / size);
    expect(blockCount(pairs, experts)).toBeGreaterThanOrEqual(blocksNeeded);
  });
});

describe('parameter groups', () => {
  it('keep the order and stay within the limit, but for a parameter larger than it', () => {
    expect(parameterGroups([3, 3, 5, 12, 1, 1], 8)).toEqual([[0, 1], [2], [3], [4, 5]]);
    expect(parameterGroups([], 8)).toEqual([]);
  });
});
