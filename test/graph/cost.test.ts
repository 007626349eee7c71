import { describe, expect, it } from 'vitest';
import type { Tensor } from '../../src/graph/builder';
import { ProgramBuilder } from '../../src/graph/builder';
import type { NodeCost } from '../../src/graph/cost';
import { nodeCosts } from '../../src/graph/cost';
import { differentiate } from '../../src/graph/gradients';
import type { Primitive } from '../../src/graph/primitives';
import { bindRoutedSizes } from '../../src/graph/routedSizes';
import { programOf } from '../support/programs';

const options = { initialiser: { kind: 'normal', standardDeviation: 1 }, role: 'experts' } as const;

function costs(build: (builder: ProgramBuilder) => Tensor, bindings: Record<string, number> = {}, backward = false): NodeCost[] {
  const builder = new ProgramBuilder();
  const y = build(builder);
  const loss = builder.sum(
    y,
    y.shape.map((_, axis) => axis),
  );
  const program = programOf(builder, loss);
  return nodeCosts(backward ? differentiate(program).program : program, bindings);
}

const macs = (found: readonly NodeCost[], op: Primitive): number[] => found.flatMap((cost) => (cost.node.op === op ? [cost.macs] : []));

describe('MACs', () => {
  it('of relative attention: content, positions and values over two chunks; its gradient 2.5 times', () => {
    const [batch, heads, time, width] = [2, 3, 5, 4];
    const found = costs(
      (b) => {
        const part = (name: string): Tensor => b.parameter(name, [batch, heads, time, width], options);
        const operands = { q: part('q'), k: part('k'), v: part('v'), memoryKeys: part('mk'), memoryValues: part('mv') };
        const projected = b.matmul(b.sinusoid(2 * time, 6), b.parameter('position', [6, heads * width], options));
        const positions = b.transpose(b.reshape(projected, [2 * time, heads, width]), [1, 0, 2]);
        return b.relativeAttention({ ...operands, positions, seen: b.constant(1, [batch]) }, 1);
      },
      {},
      true,
    );
    // For each of 2 windows and 3 heads: 5 queries x 10 keys x 4 channels, three times.
    expect(macs(found, 'relativeAttention')).toEqual([3600]);
    expect(macs(found, 'relativeAttentionGradient')).toEqual([9000]);
    expect(macs(found, 'sinusoid')).toEqual([0]);
    expect(macs(found, 'matmul').slice(0, 1)).toEqual([10 * 6 * 12]);
  });

  it('of row tables: a row for each choice, whatever the size of the table; choosing costs none', () => {
    const build =
      (rows: number, gradient: 'dense' | 'rows') =>
      (b: ProgramBuilder): Tensor => {
        const [down, up] = [
          b.parameter('down', [rows, 6], { ...options, gradient }),
          b.parameter('up', [rows, 6], { ...options, gradient }),
        ];
        const [first, second] = [b.parameter('first', [8, 4], options), b.parameter('second', [8, 4], options)];
        const { indices } = b.productKeys(first, second, 3);
        return b.rowSum(up, indices, b.rowDot(down, indices, b.parameter('x', [8, 6], options)));
      };
    for (const rows of [16, 1024]) {
      // 8 units x 3 choices x 6 channels; backward the other one of the pair for each, and rowOuter where the gradient is dense.
      const dense = costs(build(rows, 'dense'), {}, true);
      expect(macs(dense, 'rowDot')).toEqual([144, 144]);
      expect(macs(dense, 'rowSum')).toEqual([144, 144]);
      expect(macs(dense, 'rowOuter')).toEqual([144, 144]);
      expect(macs(dense, 'productKeys')).toEqual([0]);
      expect(macs(costs(build(rows, 'rows'), {}, true), 'rowOuter')).toEqual([]);
    }
  });

  it('of experts at the share of the choices that go somewhere, for any batch', () => {
    const build = (b: ProgramBuilder): Tensor => {
      const x = b.input('x', ['batch*time', 4], 'float32');
      const scores = b.input('scores', ['batch*time', 5], 'float32');
      const r = b.input('r', ['batch', 'time'], 'float32');
      const chosen = b.topK(scores, 3);
      const { indices, kept } = b.firstChoices(chosen, b.allocateChoices(r, { mean: 2, least: 1, most: 3, budget: false }), 5);
      const routing = b.route(indices, 5, 2 / 3);
      return b.combine(b.expertMatmul(b.permute(x, routing), b.parameter('w', [5, 4, 7], options), routing), kept, routing);
    };
    for (const [batch, time] of [
      [1, 1],
      [2, 8],
      [3, 7],
    ] as const) {
      const found = costs(build, { batch, time });
      // Of 3 choices a token takes 2 on average.
      expect(macs(found, 'expertMatmul')).toEqual([batch * time * 2 * 4 * 7]);
      for (const op of ['topK', 'firstChoices', 'allocateChoices', 'route', 'permute', 'combine'] as const)
        expect(macs(found, op)).toEqual([0]);
    }
    // Half a row is rounded only where it is counted.
    const odd = (b: ProgramBuilder): Tensor => {
      const routing = b.route(b.input('chosen', [3, 1], 'int32'), 2, 0.5);
      return b.expertMatmul(b.permute(b.input('x', [3, 2], 'float32'), routing), b.parameter('w', [2, 2, 1], options), routing);
    };
    expect(macs(costs(odd), 'expertMatmul')).toEqual([3]);
  });
});

describe('rows of a route', () => {
  it('are all pairs where it runs, and what is said of pairs, experts and share elsewhere', () => {
    const builder = new ProgramBuilder();
    builder.inScope('layers.1', () => builder.route(builder.input('chosen', ['units', 4], 'int32'), 6, 0.25));
    expect(bindRoutedSizes(builder, { units: 10 })).toEqual({ units: 10, 'routed/layers.1': 40 });
    expect(bindRoutedSizes(builder, { units: 10 }, { rowsOf: (pairs, experts, share) => pairs * share + experts })).toEqual({
      units: 10,
      'routed/layers.1': 16,
    });
  });
});
