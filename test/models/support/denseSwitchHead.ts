import type { Tensor } from '../../../src/graph/builder';
import type { AttentionLayer } from './attentionLayer';

/**
 * SwitchHead without routing (2312.07987 section 2.2): every expert of every head computes every token, and a mask of scores, 0 where an
 * expert is not chosen, weighs what they give. The same parameters by name. The cached chunk comes by rows of its own, not together with
 * the present one.
 */
export const denseSwitchHead: AttentionLayer = (builder, x, model, memory) => {
  const { d_model: d } = model;
  const { heads, moe } = model.attention;
  const width = model.attention.head_width ?? d / heads;
  if (moe === undefined) throw new RangeError('Attention has no experts.');
  const { experts, top_k: k, projections } = moe;
  const normal = { kind: 'normal', standardDeviation: 1 } as const;
  const parameters = new Map<string, Tensor>();
  const parameter = (name: string, shape: readonly number[]): Tensor => {
    const made = parameters.get(name) ?? builder.parameter(name, shape, { initialiser: normal, role: 'attention' });
    parameters.set(name, made);
    return made;
  };
  const sides = {
    source: projections.includes('key') || projections.includes('value'),
    destination: projections.includes('query') || projections.includes('output'),
  };

  /** [rows, heads * experts]: the scores of the chosen, else 0. */
  const gates = (rows: Tensor, side: 'source' | 'destination'): Tensor => {
    const selector = moe.shared_selection && sides.source && sides.destination ? 'destination' : side;
    const scores = builder.sigmoid(builder.matmul(rows, parameter(`${selector}.router.weight`, [d, heads * experts])));
    const masks = Array.from({ length: heads }, (_, head) => {
      const own = builder.slice(scores, 1, head * experts, (head + 1) * experts);
      const chosen = builder.topK(own, k);
      return builder.multiply(own, builder.scatterAlongLast(chosen, builder.greaterEqual(chosen, 0), experts));
    });
    return builder.concat(masks, 1);
  };
  const matrix = (name: string, index: number, [from, to]: readonly [number, number]): Tensor =>
    builder.reshape(builder.slice(parameter(name, [heads * experts, from, to]), 0, index, index + 1), [from, to]);
  /** The sum over the experts of one head of gate * (rows W). */
  const masked = (name: string, rows: Tensor, gate: Tensor, head: number, shape: readonly [number, number]): Tensor =>
    Array.from({ length: experts }, (_, expert) => {
      const index = head * experts + expert;
      return builder.multiply(builder.matmul(rows, matrix(name, index, shape)), builder.slice(gate, 1, index, index + 1));
    }).reduce((sum, next) => builder.add(sum, next));
  const into = (name: 'query' | 'key' | 'value', rows: Tensor): Tensor => {
    const joined = projections.includes(name)
      ? builder.concat(
          Array.from({ length: heads }, (_, head) =>
            masked(name, rows, gates(rows, name === 'query' ? 'destination' : 'source'), head, [d, width]),
          ),
          1,
        )
      : builder.matmul(rows, parameter(name, [d, heads * width]));
    return builder.transpose(builder.reshape(joined, ['batch', 'time', heads, width]), [0, 2, 1, 3]);
  };

  const scale = 1 / Math.sqrt(width);
  const mixed = memory === undefined ? ordinary() : relative(memory.states, memory.seen);
  const joined = builder.reshape(builder.transpose(mixed, [0, 2, 1, 3]), [x.shape[0] ?? 1, heads * width]);
  if (!projections.includes('output')) return { output: builder.matmul(joined, parameter('output', [heads * width, d])) };
  const gate = gates(x, 'destination');
  const outputs = Array.from({ length: heads }, (_, head) =>
    masked('output', builder.slice(joined, 1, head * width, (head + 1) * width), gate, head, [width, d]),
  );
  return { output: outputs.reduce((sum, next) => builder.add(sum, next)) };

  function ordinary(): Tensor {
    const rotate = (headed: Tensor): Tensor =>
      model.attention.position === 'rope' ? builder.rotary(headed, model.attention.rope_base) : headed;
    return builder.attention(rotate(into('query', x)), rotate(into('key', x)), into('value', x), true, scale);
  }

  function relative(cached: Tensor, seen: Tensor): Tensor {
    const projected = builder.matmul(builder.sinusoid('2*time', d), parameter('position', [d, heads * width]));
    const positions = builder.transpose(builder.reshape(projected, ['2*time', heads, width]), [1, 0, 2]);
    const operands = {
      q: into('query', x),
      k: into('key', x),
      v: into('value', x),
      memoryKeys: into('key', cached),
      memoryValues: into('value', cached),
    };
    return builder.relativeAttention({ ...operands, positions, seen }, scale);
  }
};
