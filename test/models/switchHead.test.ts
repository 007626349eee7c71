import { describe, expect, it } from 'vitest';
import { nodeCosts } from '../../src/graph/cost';
import { elementCount } from '../../src/graph/dimensions';
import type { Program, ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { attention } from '../../src/models/attention';
import { buildLanguageModel } from '../../src/models/languageModel';
import { tinyExperiment } from '../support/experiments';
import { interpret, randomParameters, randomTokens, stateFeeds } from '../support/programs';
import { attentionFeeds, attentionProgram, attentionRun, layerBindings } from './support/attentionLayer';
import { denseSwitchHead } from './support/denseSwitchHead';

const names = ['query', 'key', 'value', 'output'] as const;
const combinations = Array.from({ length: 15 }, (_, index) => names.filter((_name, bit) => ((index + 1) >> bit) % 2 === 1));
const heads = 2;
const width = 4;
const experts = 4;
const d = 12;

const switchHead = (moe: Record<string, unknown> = {}, rest: Record<string, unknown> = {}) => ({
  heads,
  head_width: width,
  ...rest,
  moe: { experts, top_k: 2, ...moe },
});

function gap(a: ArrayLike<number> | undefined, b: ArrayLike<number> | undefined): number {
  if (a === undefined || b === undefined || a.length !== b.length || a.length === 0) return Infinity;
  return Math.max(...Array.from(a, (element, i) => Math.abs(element - (b[i] ?? NaN))));
}

describe('SwitchHead equals its dense form: every expert computed, masked and weighed', () => {
  const cases = combinations.flatMap((projections) =>
    (['rope', 'none', 'xl'] as const).flatMap((position) =>
      [false, true].map((shared) => ({
        name: `${projections.join(', ')}; ${position}${shared ? '; shared' : ''}`,
        projections,
        position,
        shared,
      })),
    ),
  );
  it.each(cases)('$name', ({ projections, position, shared }) => {
    const config = switchHead({ projections, shared_selection: shared }, { position });
    const sparse = attentionRun(attentionProgram(attention, config));
    const dense = attentionRun(attentionProgram(denseSwitchHead, config));
    expect(Math.abs(sparse.loss)).toBeGreaterThan(1e-3);
    expect(sparse.loss).toBeCloseTo(dense.loss, 11);
    expect([...sparse.gradients.keys()].sort()).toEqual([...dense.gradients.keys()].sort());
    for (const [name, gradient] of sparse.gradients) {
      expect(gap(gradient, dense.gradients.get(name)), name).toBeLessThan(1e-11);
      expect(Math.max(...gradient.map(Math.abs)), name).toBeGreaterThan(1e-6);
    }
  });
});

describe('one expert in each head', () => {
  it('is dense attention with a gate: where every score is 1/2, a quarter of it', () => {
    const program = attentionProgram(attention, switchHead({ experts: 1, top_k: 1 }));
    const dense = attentionProgram(attention, { heads, head_width: width });
    const output = (built: Program, feeds: Map<ValueId, NdArray>): number =>
      interpret(built, { bindings: layerBindings, feeds, wanted: [built.outputs.loss] }).get(built.outputs.loss)?.data[0] ?? NaN;
    const feeds = attentionFeeds(program);
    const denseFeeds = attentionFeeds(dense);
    const find = (built: Program, name: string) => {
      const found = built.parameters.find((parameter) => parameter.name === name);
      if (found === undefined) throw new RangeError(`There is no ${name}.`);
      return found;
    };
    for (const { name, value, shape } of program.parameters)
      if (name.endsWith('router.weight')) feeds.set(value, { shape, data: new Float64Array(d * heads) });
    // [heads, d, width] -> [d, heads * width]; [heads, width, d] -> [heads * width, d] as it lies.
    const stacked = feeds.get(find(program, 'value').value)?.data ?? [];
    const value = Float64Array.from({ length: d * heads * width }, (_, i) => {
      const [row, head, column] = [Math.floor(i / (heads * width)), Math.floor(i / width) % heads, i % width];
      return stacked[(head * d + row) * width + column] ?? NaN;
    });
    denseFeeds.set(find(dense, 'value').value, { shape: [d, heads * width], data: value });
    denseFeeds.set(find(dense, 'output').value, {
      shape: [heads * width, d],
      data: Float64Array.from(feeds.get(find(program, 'output').value)?.data ?? []),
    });
    expect(output(program, feeds)).toBeCloseTo(output(dense, denseFeeds) / 4, 12);
    expect(Math.abs(output(program, feeds))).toBeGreaterThan(1e-3);
  });
});

describe('what SwitchHead is made of', () => {
  /** Elements of the parameters of layer 0's attention by role, and by name. */
  function sizes(config: Record<string, unknown>) {
    const program = buildLanguageModel(tinyExperiment({ attention: config }));
    const own = program.parameters.filter(({ name }) => name.startsWith('layers.0.attention.') && !name.endsWith('norm'));
    return new Map(own.map((parameter) => [parameter.name.slice('layers.0.attention.'.length), parameter]));
  }

  it.each(combinations.flatMap((projections) => [false, true].map((shared) => ({ projections, shared }))))(
    '$projections, shared selection $shared: parameters, and active ones',
    ({ projections, shared }) => {
      const found = sizes(switchHead({ projections, shared_selection: shared }));
      for (const name of names) {
        const parameter = found.get(name);
        const has = projections.includes(name);
        const from = name === 'output' ? width : d;
        const to = name === 'output' ? d : width;
        const dense = name === 'output' ? [heads * width, d] : [d, heads * width];
        expect(parameter, name).toMatchObject({
          role: 'attention',
          shape: has ? [heads * experts, from, to] : dense,
          activeFraction: has ? 2 / experts : 1,
          shardAxis: has ? 0 : null,
        });
      }
      const source = projections.includes('key') || projections.includes('value');
      const destination = projections.includes('query') || projections.includes('output');
      const selectors =
        shared && source && destination ? ['destination'] : [...(source ? ['source'] : []), ...(destination ? ['destination'] : [])];
      expect([...found.keys()].filter((name) => name.includes('router')).sort()).toEqual(
        selectors.map((side) => `${side}.router.weight`).sort(),
      );
      for (const side of selectors)
        expect(found.get(`${side}.router.weight`)).toMatchObject({ role: 'router', shape: [d, heads * experts] });
      const total = [...found.values()].reduce((sum, { shape }) => sum + elementCount(shape), 0);
      const dense = 4 - projections.length;
      expect(total).toBe(
        dense * d * heads * width + projections.length * heads * experts * d * width + selectors.length * d * heads * experts,
      );
    },
  );

  it('has a projection of positions where they are relative', () => {
    expect(sizes(switchHead({}, { position: 'xl' })).get('position')).toMatchObject({ role: 'position', shape: [d, heads * width] });
  });

  it.each([
    { position: 'rope', sourceChunks: 1 },
    { position: 'xl', sourceChunks: 2 },
  ])('multiplies as often as its definition says, $position', ({ position, sourceChunks }) => {
    const program = buildLanguageModel(tinyExperiment({ attention: switchHead({}, { position }) }));
    const time = 6;
    const own = nodeCosts(program, { batch: 1, time }).filter(({ node }) => node.scope.startsWith('layers.0.attention'));
    const macs = (wanted: (scope: string, op: string) => boolean): number =>
      own.filter(({ node }) => wanted(node.scope, node.op)).reduce((sum, cost) => sum + cost.macs, 0);
    const k = 2;
    expect(macs((scope) => scope.endsWith('router'))).toBe((sourceChunks + 1) * time * d * heads * experts);
    expect(macs((_, op) => op === 'expertMatmul')).toBe((sourceChunks + 1) * time * heads * k * d * width);
    // Dense query and key.
    expect(macs((scope, op) => op === 'matmul' && scope.endsWith('attention'))).toBe((sourceChunks + 1) * time * d * heads * width);
    expect(macs((scope) => scope.endsWith('position'))).toBe(position === 'xl' ? 2 * time * d * heads * width : 0);
  });

  it.each([
    { config: {}, position: 'rope', layers: { source: 2, destination: 2 } },
    { config: { projections: ['output'] }, position: 'rope', layers: { destination: 2 } },
    { config: { projections: ['key'] }, position: 'rope', layers: { source: 2 } },
    { config: { shared_selection: true }, position: 'rope', layers: { destination: 2 } },
    { config: {}, position: 'xl', layers: { source: 4, destination: 2 } },
    { config: { shared_selection: true }, position: 'xl', layers: { source: 4, destination: 2 } },
  ])('$config, $position: its routed layers, with their counts', ({ config, position, layers }) => {
    const program = buildLanguageModel(tinyExperiment({ layers: 1, attention: switchHead(config, { position }) }));
    expect(program.routedLayers.map(({ name, unitsPerToken }) => [name, unitsPerToken])).toEqual(
      Object.entries(layers).map(([side, units]) => [`layers.0.attention.${side}`, units]),
    );
    const bindings = { batch: 2, time: 6 };
    const feeds = new Map([
      ...randomParameters(program, 3),
      ...randomTokens(program, bindings, 11, 3),
      ...stateFeeds(program, bindings, 3),
    ]);
    const values = interpret(program, { bindings, feeds, wanted: program.routedLayers.map(({ counts }) => counts) });
    for (const { counts, experts: all, k, unitsPerToken, dropped, taken } of program.routedLayers) {
      expect([all, k, dropped, taken]).toEqual([heads * experts, 2, null, null]);
      const found = Array.from(values.get(counts)?.data ?? []);
      // Each head gives each of its units k experts of its own.
      for (let head = 0; head < heads; head++) {
        const own = found.slice(head * experts, (head + 1) * experts);
        expect(own.reduce((sum, count) => sum + count, 0)).toBe((12 * unitsPerToken * k) / heads);
        expect(Math.max(...own)).toBeLessThanOrEqual((12 * unitsPerToken) / heads);
      }
    }
  });
});

describe('expert dropout in attention', () => {
  const rate = 0.4;
  const withDropout = attentionProgram(attention, switchHead({ expert_dropout: rate }));
  const without = attentionProgram(attention, switchHead());
  const units = layerBindings.batch * layerBindings.time;

  /** Chosen experts, their weights and all scores of the source side, and the loss, for these numbers of the noise. */
  function run(program: Program, noise: (unit: number, expert: number) => number) {
    const feeds = attentionFeeds(program);
    for (const { value } of program.noises) {
      const data = Float64Array.from({ length: units * heads * experts }, (_, i) =>
        noise(Math.floor(i / (heads * experts)), i % (heads * experts)),
      );
      feeds.set(value, { shape: [units, heads * experts], data });
    }
    const find = (op: string) => program.nodes.find((node) => node.op === op && node.scope === 'source')?.outputs[0] ?? -1;
    const score = program.nodes.find((node) => node.op === 'sigmoid')?.outputs[0] ?? -1;
    const [chosen, weights] = [find('topK'), find('takeAlongLast')];
    const values = interpret(program, { bindings: layerBindings, feeds, wanted: [chosen, weights, score, program.outputs.loss] });
    const data = (id: ValueId): number[] => Array.from(values.get(id)?.data ?? []);
    return { chosen: data(chosen), weights: data(weights), scores: data(score), loss: data(program.outputs.loss)[0] ?? NaN };
  }

  it('draws for every token and expert of a side, and keeps all in evaluation', () => {
    expect(withDropout.noises).toMatchObject(
      ['source', 'destination'].map((side) => ({
        name: `${side}.router.expert_dropout`,
        low: -rate,
        high: 1 - rate,
        evaluation: 1 - rate,
      })),
    );
    expect(without.noises).toEqual([]);
    expect(run(withDropout, () => 1 - rate).loss).toBe(run(without, () => NaN).loss);
    // 0 is as likely as any other number that keeps.
    expect(run(withDropout, () => 0).loss).toBe(run(without, () => NaN).loss);
  });

  it('passes over what it drops while others are left, and weighs the rest with their own scores', () => {
    const plain = run(without, () => NaN);
    const dropped = (unit: number, expert: number): boolean => (unit + expert) % 3 === 0;
    const { chosen, weights, scores } = run(withDropout, (unit, expert) => (dropped(unit, expert) ? -0.1 : 0.1));
    chosen.forEach((expert, i) => {
      const unit = Math.floor(i / (heads * 2));
      expect(dropped(unit, expert)).toBe(false);
      expect(weights[i]).toBe(scores[unit * heads * experts + expert]);
      expect(Math.floor(expert / experts)).toBe(Math.floor((i % (heads * 2)) / 2));
    });
    expect(scores).toEqual(plain.scores);
    expect(chosen).not.toEqual(plain.chosen);
  });

  it('chooses among the dropped where too few are left, the lowest first, with their own scores', () => {
    // Expert 3 of each head is left.
    const { chosen, weights, scores } = run(withDropout, (_, expert) => (expert % experts === 3 ? 0.1 : -0.1));
    for (let unit = 0; unit < units; unit++) {
      expect(chosen.slice(unit * 4, unit * 4 + 4)).toEqual([3, 0, 7, 4]);
      expect(weights.slice(unit * 4, unit * 4 + 4)).toEqual([3, 0, 7, 4].map((expert) => scores[unit * 8 + expert]));
    }
  });

  it.each([false, true])('draws window by window, cached tokens too, so that a step may be split (shared selection %s)', (shared) => {
    const model = { layers: 2, attention: switchHead({ expert_dropout: rate, shared_selection: shared }, { position: 'xl' }) };
    const program = buildLanguageModel(tinyExperiment(model));
    const bindings = { batch: 2, time: 6 };
    const feeds = new Map([
      ...randomParameters(program, 3),
      ...randomTokens(program, bindings, 11, 3),
      ...stateFeeds(program, bindings, 3),
    ]);
    const logits = program.nodes.find((node) => node.op === 'crossEntropy')?.inputs[0] ?? -1;
    const run = (batch: number, given: ReadonlyMap<ValueId, NdArray>): number[] =>
      Array.from(interpret(program, { bindings: { batch, time: 6 }, feeds: given, wanted: [logits] }).get(logits)?.data ?? []);
    const weights = new Set(program.parameters.map(({ value }) => value));
    const half = (window: number): Map<ValueId, NdArray> =>
      new Map(
        [...feeds].map(([id, { shape, data }]): [ValueId, NdArray] => {
          if (weights.has(id)) return [id, { shape, data }];
          const part = data.length / 2;
          return [id, { shape: [(shape[0] ?? 0) / 2, ...shape.slice(1)], data: data.slice(window * part, (window + 1) * part) }];
        }),
      );
    expect(program.noises).toHaveLength(shared ? 2 : 4);
    expect(gap([...run(1, half(0)), ...run(1, half(1))], run(2, feeds))).toBeLessThan(1e-12);
  });
});
