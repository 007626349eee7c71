import { describe, expect, it } from 'vitest';
import { differentiate } from '../../src/graph/gradients';
import type { Program, ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { buildLanguageModel } from '../../src/models/languageModel';
import { tinyExperiment } from '../support/experiments';
import { denseGradients, interpret, randomParameters, uniformIntegers } from '../support/programs';

const vocabulary = 11;
const time = 6;
const d = 12;

const xl = { heads: 2, head_width: 4, position: 'xl' };
const switchHead = { ...xl, moe: { experts: 4, top_k: 2 } };
const shared = { ...xl, moe: { experts: 4, top_k: 2, projections: ['query', 'key', 'value', 'output'], shared_selection: true } };
const sigmaMoe = { kind: 'smoe', every: 1, experts: 5, top_k: 2, expert_width: 6, router: { score: 'sigmoid', balance: 'entropy' } };
const switchAll = { attention: switchHead, norm: 'layer', ffn: { width: 10, activation: 'relu' }, moe: sigmaMoe };

const kinds: readonly { readonly name: string; readonly model: Record<string, unknown> }[] = [
  { name: 'dense', model: { attention: xl } },
  { name: 'grouped heads with norm', model: { attention: { heads: 4, kv_heads: 2, head_width: 4, qk_norm: 'head', position: 'xl' } } },
  { name: 'SwitchHead', model: { attention: switchHead } },
  { name: 'SwitchHead, shared selection', model: { attention: shared } },
  { name: 'SwitchAll', model: switchAll },
];

function built(model: Record<string, unknown>, layers: number): Program {
  return buildLanguageModel(tinyExperiment({ ...model, layers, tie_embeddings: false }));
}

interface Lanes {
  readonly logits: number[];
  /** What each layer keeps of the chunk. */
  readonly caches: readonly NdArray[];
}

/** One chunk of every lane, tokens [batch][length], after what the lanes keep. */
function chunk(program: Program, tokens: readonly (readonly number[])[], caches: readonly NdArray[], resets: readonly number[]): Lanes {
  const bindings = { batch: tokens.length, time: tokens[0]?.length ?? 0 };
  const feeds = chunkFeeds(program, tokens, caches, resets);
  const logits = program.nodes.find((node) => node.op === 'crossEntropy')?.inputs[0] ?? -1;
  const updates = program.buffers.map(({ update }) => update);
  const values = interpret(program, { bindings, feeds, wanted: [logits, ...updates] });
  return {
    logits: Array.from(values.get(logits)?.data ?? []),
    caches: updates.map((id) => values.get(id) ?? { shape: [], data: new Float64Array() }),
  };
}

function chunkFeeds(
  program: Program,
  tokens: readonly (readonly number[])[],
  caches: readonly NdArray[],
  resets: readonly number[],
  targets: readonly (readonly number[])[] = tokens,
): Map<ValueId, NdArray> {
  const shape = [tokens.length, tokens[0]?.length ?? 0];
  const inputs: Record<string, NdArray> = {
    tokens: { shape, data: Int32Array.from(tokens.flat()) },
    targets: { shape, data: Int32Array.from(targets.flat()) },
    resets: { shape: [tokens.length], data: Int32Array.from(resets) },
  };
  const zeros: NdArray = { shape: [...shape, d], data: new Float64Array(shape.reduce((a, b) => a * b, d)) };
  return new Map<ValueId, NdArray>([
    ...randomParameters(program, 5, 0.6),
    ...program.inputs.map(({ name, value }): [ValueId, NdArray] => [value, inputs[name] ?? zeros]),
    ...program.buffers.map(({ value }, index): [ValueId, NdArray] => [value, caches[index] ?? zeros]),
  ]);
}

const text = (seed: number, length: number): number[] => Array.from(uniformIntegers(length, vocabulary, seed));
const gap = (a: readonly number[], b: readonly number[]): number =>
  a.length === b.length && a.length > 0 ? Math.max(...a.map((element, i) => Math.abs(element - (b[i] ?? NaN)))) : Infinity;
const changed = (tokens: readonly number[], place: number): number[] =>
  tokens.map((token, i) => (i === place ? (token + 1) % vocabulary : token));

describe.each(kinds.flatMap(({ name, model }) => [1, 2, 3].map((layers) => ({ name, model, layers }))))(
  '$name, $layers layers',
  ({ model, layers }) => {
    const program = built(model, layers);
    const tokens = text(3, 3 * time);
    const chunkOf = (from: readonly number[], index: number): number[][] => [from.slice(index * time, (index + 1) * time)];
    const first = chunk(program, chunkOf(tokens, 0), [], [1]);
    const second = chunk(program, chunkOf(tokens, 1), first.caches, [0]);
    const third = chunk(program, chunkOf(tokens, 2), second.caches, [0]);

    it('two chunks are one window of twice the length', () => {
      const whole = chunk(program, [tokens.slice(0, 2 * time)], [], [1]);
      expect(gap([...first.logits, ...second.logits], whole.logits)).toBeLessThan(1e-11);
      const keptOfSecond = whole.caches.map(({ data }) => Array.from(data).slice(time * d));
      second.caches.forEach(({ data }, index) => expect(gap(Array.from(data), keptOfSecond[index] ?? [])).toBeLessThan(1e-11));
    });

    it('every chunk sees the one before it, to its last token, and none after it', () => {
      const cut = chunk(program, chunkOf(tokens, 1), first.caches, [1]);
      expect(gap(cut.logits, second.logits)).toBeGreaterThan(1e-4);
      for (const place of [0, time - 1]) {
        const other = chunk(program, chunkOf(changed(tokens, place), 0), [], [1]);
        const after = chunk(program, chunkOf(tokens, 1), other.caches, [0]);
        // Every token of the second chunk, the last one too, sees every one of the first.
        for (const row of [0, time - 1]) {
          const logits = ({ logits: all }: Lanes): number[] => all.slice(row * vocabulary, (row + 1) * vocabulary);
          expect(gap(logits(after), logits(second)), `token ${place} seen by ${row}`).toBeGreaterThan(1e-9);
        }
      }
    });

    it('sees further back by one chunk for each further layer', () => {
      const other = chunk(program, chunkOf(changed(tokens, 2), 0), [], [1]);
      const after = chunk(program, chunkOf(tokens, 2), chunk(program, chunkOf(tokens, 1), other.caches, [0]).caches, [0]);
      if (layers === 1) expect(after.logits).toEqual(third.logits);
      else expect(gap(after.logits, third.logits)).toBeGreaterThan(1e-9);
    });

    it('changing a token changes nothing before it', () => {
      for (let place = 0; place < time; place++) {
        const { logits } = chunk(program, chunkOf(changed(tokens, time + place), 1), first.caches, [0]);
        if (place > 0) expect(gap(logits.slice(0, place * vocabulary), second.logits.slice(0, place * vocabulary))).toBeLessThan(1e-12);
        expect(gap(logits.slice(place * vocabulary), second.logits.slice(place * vocabulary))).toBeGreaterThan(1e-6);
      }
    });

    it('a reset cuts off what was before, exactly, in its lane only', () => {
      const both = [...chunkOf(tokens, 1), ...chunkOf(tokens, 1)];
      const caches = first.caches.map(({ data }): NdArray => ({ shape: [2, time, d], data: Float64Array.from([...data, ...data]) }));
      const { logits } = chunk(program, both, caches, [0, 1]);
      const half = logits.length / 2;
      expect(gap(logits.slice(0, half), second.logits)).toBeLessThan(1e-12);
      const alone = chunk(program, chunkOf(tokens, 1), [], [1]);
      expect(gap(logits.slice(half), alone.logits)).toBeLessThan(1e-12);
      const garbage = first.caches.map(({ shape, data }): NdArray => ({ shape, data: Float64Array.from(data, (x) => 1e3 * x + 7) }));
      expect(chunk(program, chunkOf(tokens, 1), garbage, [1]).logits).toEqual(alone.logits);
    });
  },
);

describe('gradients of a chunk', () => {
  /** Of the loss over the scored targets of one chunk, by parameter. */
  function gradientsOf(program: Program, tokens: readonly number[], targets: readonly number[], caches: readonly NdArray[], reset: number) {
    const differentiated = differentiate(program);
    const gradients = denseGradients(differentiated);
    const feeds = chunkFeeds(program, [tokens], caches, [reset], [targets]);
    const values = interpret(differentiated.program, { bindings: { batch: 1, time: tokens.length }, feeds, wanted: gradients });
    return new Map(program.parameters.map(({ name }, index) => [name, Array.from(values.get(gradients[index] ?? -1)?.data ?? [])]));
  }

  it.each(kinds.filter(({ name }) => name !== 'SwitchAll'))(
    'reach the weights through what is cached, and end at the cached states: $name',
    ({ model }) => {
      const program = built(model, 1);
      const tokens = text(4, 2 * time);
      const first = chunk(program, [tokens.slice(0, time)], [], [1]);
      const after = gradientsOf(program, tokens.slice(time), tokens.slice(time), first.caches, 0);
      // In one layer the cached states are the embeddings: only theirs is a gradient that the longer window has and the second chunk has
      // not.
      const whole = gradientsOf(program, tokens, [...Array<number>(time).fill(-1), ...tokens.slice(time)], [], 1);
      for (const [name, gradient] of after) {
        if (name === 'embedding') expect(gap(gradient, whole.get(name) ?? [])).toBeGreaterThan(1e-4);
        else expect(gap(gradient, whole.get(name) ?? []), name).toBeLessThan(1e-11);
      }
      const cut = gradientsOf(program, tokens.slice(time), tokens.slice(time), first.caches, 1);
      for (const name of ['layers.0.attention.key', 'layers.0.attention.value', 'layers.0.attention.norm', 'layers.0.attention.position']) {
        expect(gap(after.get(name) ?? [], cut.get(name) ?? []), name).toBeGreaterThan(1e-6);
      }
    },
  );
});

describe('the cache', () => {
  it('is a buffer of every layer that goes on in its lane, from nothing', () => {
    const program = built({ attention: xl }, 2);
    expect(program.buffers.map(({ name, shape, initial, updated }) => ({ name, shape, initial, updated }))).toEqual(
      [0, 1].map((layer) => ({ name: `layers.${layer}.attention.cache`, shape: ['batch', 'time', d], initial: 0, updated: 'lane' })),
    );
    expect(program.inputs.map(({ name }) => name)).toEqual(['tokens', 'targets', 'resets']);
    expect(program.values[program.inputs[2]?.value ?? -1]).toEqual({ shape: ['batch'], dtype: 'int32' });
    // Behind stopGradient, so that the text of all lanes does not hang together.
    for (const { update } of program.buffers) {
      expect(program.nodes.find(({ outputs }) => outputs.includes(update))?.op).toBe('stopGradient');
    }
  });

  it('of the first layer are the embeddings, of the next what enters it', () => {
    const program = built({ attention: xl, scale_embeddings: true }, 2);
    const tokens = text(5, time);
    const { caches } = chunk(program, [tokens], [], [1]);
    const embedding = randomParameters(program, 5, 0.6).get(program.parameters[0]?.value ?? -1)?.data ?? [];
    const rows = tokens.flatMap((token) => Array.from({ length: d }, (_, i) => (embedding[token * d + i] ?? NaN) * Math.sqrt(d)));
    expect(gap(Array.from(caches[0]?.data ?? []), rows)).toBeLessThan(1e-12);
    expect(gap(Array.from(caches[1]?.data ?? []), rows)).toBeGreaterThan(1e-3);
  });

  it('is not there, nor are resets, without relative positions', () => {
    const program = built({ attention: { heads: 2 } }, 2);
    expect(program.buffers).toEqual([]);
    expect(program.inputs.map(({ name }) => name)).toEqual(['tokens', 'targets']);
  });
});
