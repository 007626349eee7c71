import { describe, expect, it } from 'vitest';
import { presetOf } from '../../../src/config/presets/catalogue';
import type { Experiment, ExperimentInput } from '../../../src/config/schema';
import { experimentSchema } from '../../../src/config/schema';
import { evaluateChoice, solve } from '../../../src/parity/solver/solve';

type Moe = NonNullable<ExperimentInput['model']['moe']>;

/** The models of 2411.16205: width 768, every second of 12 layers routed. */
function model(activation: 'swiglu' | 'relu', moe: Moe | undefined): Experiment {
  return experimentSchema.parse({
    model: {
      vocabulary: 32_000,
      d_model: 768,
      layers: 12,
      context: 2048,
      attention: { heads: 12 },
      ffn: { width: activation === 'relu' ? 3072 : 2048, activation },
      ...(moe === undefined ? {} : { moe }),
    },
  });
}

const swigluSmoe = model('swiglu', { kind: 'smoe', experts: 8, top_k: 1, expert_width: 2048 });
const reluSmoe = model('relu', { kind: 'smoe', experts: 8, top_k: 1, expert_width: 3072 });
const multiHead = (activation: 'swiglu' | 'relu', heads: number, topK: number, more: Partial<Moe> = {}) =>
  model(activation, { kind: 'mh-moe', heads, top_k: topK, experts: 16, expert_width: 999, ...more });

const sizes = (width: number, experts: number) => ({ 'model.moe.expert_width': width, 'model.moe.experts': experts });

describe('sizes of MH-MoE at parity with SMoE', () => {
  it('are those of 2411.16205 section 2.2 for two matrices: d = 768, f = 4 d, E = 8, k = 1, h = 3 give f = 3 d and 4 E - 1 experts, exactly', () => {
    const { scope, exact, choices } = solve(multiHead('relu', 3, 1), reluSmoe);
    expect(scope).toBe('layers');
    expect(exact).toEqual(sizes(2304, 31));
    expect(choices[0]).toMatchObject({ changes: sizes(2304, 31), macs: 0, parameters: 0 });
  });

  it.each([
    [2, 2, 124 / 3, sizes(768, 41), -1 / 128],
    [3, 3, 93, sizes(512, 93), 0],
  ])('are whole or nearly so for three matrices, h = k = %i', (heads, k, experts, whole, parameters) => {
    const solution = solve(multiHead('swiglu', heads, k), swigluSmoe);
    expect(solution.exact['model.moe.expert_width']).toBe(whole['model.moe.expert_width']);
    expect(solution.exact['model.moe.experts']).toBeCloseTo(experts, 12);
    expect(solution.choices[0]).toMatchObject({ scope: 'layers', changes: whole, macs: 0 });
    expect(solution.choices[0]?.parameters).toBeCloseTo(parameters, 12);
  });

  // Solved from section 1.4 of the design notes by hand, with the router counted.
  it.each([
    [2, 1, 1531.8, 20.72],
    [2, 2, 762.4, 41.63],
    [2, 4, 377.7, 83.99],
    [3, 1, 1528.3, 31.15],
    [3, 3, 502.4, 94.74],
    [4, 2, 755.3, 84.03],
    [4, 4, 370.4, 171.28],
    [6, 6, 233.8, 406.73],
  ])('with the router counted, h = %i, k = %i: %f x %f', (heads, k, width, experts) => {
    const { exactWithRouter } = solve(multiHead('swiglu', heads, k), swigluSmoe);
    expect(exactWithRouter['model.moe.expert_width']).toBeCloseTo(width, 1);
    expect(exactWithRouter['model.moe.experts']).toBeCloseTo(experts, 2);
  });

  it.each([
    [2, 2, sizes(768, 40), 0.0052, -0.03125, -0.031],
    [3, 3, sizes(512, 96), 0.0143, 0.03125, 0.0317],
  ])(
    'of the paper itself, h = k = %i, are among the choices, with their residuals',
    (heads, k, changes, macsWithRouter, parameters, withRouter) => {
      const choice = solve(multiHead('swiglu', heads, k), swigluSmoe).choices.find(
        (one) => JSON.stringify(one.changes) === JSON.stringify(changes),
      );
      expect(choice).toMatchObject({ macs: 0, parameters });
      expect(choice?.macsWithRouter).toBeCloseTo(macsWithRouter, 4);
      expect(choice?.parametersWithRouter).toBeCloseTo(withRouter, 4);
      expect(choice).toEqual(evaluateChoice(multiHead('swiglu', heads, k), swigluSmoe, changes));
    },
  );

  it('come before other heads and top_k as far as they are of use: 3 % off, not 14 %', () => {
    const { choices } = solve(multiHead('swiglu', 2, 2), swigluSmoe);
    const keeps = choices.map(({ changes }) => !('model.moe.heads' in changes) && !('model.moe.top_k' in changes));
    const first = choices.slice(0, keeps.indexOf(false));
    expect(first.map(({ changes }) => changes)).toContainEqual(sizes(768, 40));
    expect(first.every(({ macs, parameters }) => Math.max(Math.abs(macs), Math.abs(parameters)) <= 0.05)).toBe(true);
    expect(choices[keeps.indexOf(false)]).toMatchObject({ macs: 0, parameters: 0 });
  });

  it('stay first where they are what the config says already', () => {
    const subject = multiHead('swiglu', 3, 3, { experts: 93, expert_width: 512 });
    expect(solve(subject, swigluSmoe).choices[0]?.changes).toEqual(sizes(512, 93));
  });

  it('with one projection left out, and with none, follow the general equations', () => {
    // f' = (2048 - q 768 / 3) / k', E' = h (3 * 2048 * 8 - q 768) / (3 f').
    const one = solve(multiHead('swiglu', 2, 2, { head_layer: false }), swigluSmoe);
    expect(one.exact).toEqual(sizes(896, (2 * (3 * 2048 * 8 - 768)) / (3 * 896)));
    const none = solve(multiHead('swiglu', 2, 2, { head_layer: false, merge_layer: false }), swigluSmoe);
    expect(none.exact).toEqual(sizes(1024, 32));
    expect(none.choices[0]).toMatchObject({ changes: sizes(1024, 32), macs: 0, parameters: 0 });
  });

  it('with `ablation: iso_mac` are sizes of the layer with both projections', () => {
    const ablated = { head_layer: false, merge_layer: false, ablation: 'iso_mac' } as const;
    const { exact, choices } = solve(multiHead('swiglu', 2, 2, ablated), swigluSmoe);
    expect(exact).toEqual(sizes(768, 124 / 3));
    // 41 experts of 768 with both projections are 31.75 of 1024 without.
    expect(choices[0]).toMatchObject({ changes: sizes(768, 41), macs: 0, parameters: 0 });
  });

  it('leave a shared expert out of account that both models have', () => {
    const shared = { shared_width: 2048 };
    const baseline = model('swiglu', { kind: 'smoe', experts: 8, top_k: 1, expert_width: 2048, ...shared });
    expect(solve(multiHead('swiglu', 3, 3, shared), baseline).exact).toEqual(sizes(512, 93));
  });

  it('are other heads or top_k where those of the config leave nothing within 1 %, and fewer of them changed come first', () => {
    const few = model('swiglu', { kind: 'smoe', experts: 2, top_k: 1, expert_width: 2048 });
    const [best] = solve(multiHead('swiglu', 2, 1), few).choices;
    // 4.67 experts of 1536: none with h = 2 and k = 1 is near.
    expect(Object.keys(best?.changes ?? {})).toHaveLength(3);
    expect(best).toMatchObject({ macs: 0, parameters: 0 });
  });

  it('is impossible where the projections cost more than all experts of the baseline', () => {
    const small = model('swiglu', { kind: 'smoe', experts: 8, top_k: 1, expert_width: 512 });
    const { exact, choices } = solve(multiHead('swiglu', 2, 2), small);
    expect(exact).toEqual({});
    expect(choices.every(({ macs, parameters }) => macs !== 0 || parameters !== 0)).toBe(true);
  });
});

describe('choices that are wrong, with their residuals', () => {
  it('equation 8 of two matrices for gated experts: 1280, k = 1, 25 experts have 12.2 % too few MACs', () => {
    const subject = multiHead('swiglu', 3, 1);
    const { macs, macsWithRouter } = evaluateChoice(subject, swigluSmoe, sizes(1280, 25));
    expect(macs).toBeCloseTo(-0.125, 12);
    expect(macsWithRouter).toBeCloseTo(-0.122, 3);
  });

  it('the original h = 4 and beta = 63/64 with 8 experts has 4.19 times the MACs', () => {
    // 2404.15045 Eq. 7: experts of width 4 beta h d.
    const subject = multiHead('relu', 4, 1);
    const { macs } = evaluateChoice(subject, reluSmoe, sizes((4 * 63 * 4 * 768) / 64, 8));
    expect(1 + macs).toBeCloseTo(4.19, 2);
  });

  it('a size that the solver does not know', () => {
    expect(() => evaluateChoice(reluSmoe, reluSmoe, { 'model.d_model': 8 })).toThrow(/no size model\.d_model; it has model\.ffn\.width/);
  });
});

describe('options', () => {
  const subject = multiHead('swiglu', 2, 2, { experts: 40 });

  it('target: only MACs by the width, only parameters by the number of experts', () => {
    expect(solve(subject, swigluSmoe, { target: 'macs' })).toMatchObject({
      exact: { 'model.moe.expert_width': 768 },
      choices: [{ changes: sizes(768, 40), macs: 0 }, ...Array.from({ length: 19 }, () => expect.anything())],
    });
    const { exact } = solve(multiHead('swiglu', 2, 2, { expert_width: 768 }), swigluSmoe, { target: 'parameters' });
    expect(exact).toEqual({ 'model.moe.experts': 124 / 3 });
  });

  it('keys: nothing else changes', () => {
    const keys = ['model.moe.experts'];
    const { choices } = solve(multiHead('swiglu', 2, 2, { expert_width: 768 }), swigluSmoe, { keys });
    expect(choices.map(({ changes }) => changes)).toContainEqual({ 'model.moe.experts': 41 });
    expect(choices.flatMap(({ changes }) => Object.keys(changes)).every((key) => keys.includes(key))).toBe(true);
    expect(solve(subject, swigluSmoe, { keys: ['model.d_model'] }).choices).toEqual([]);
  });

  it('limit', () => {
    expect(solve(subject, swigluSmoe, { limit: 3 }).choices).toHaveLength(3);
  });
});

describe('other architectures', () => {
  const preset = (id: string): Experiment => experimentSchema.parse(presetOf(id)?.experiment);

  it('fine-grained experts: twice as many of half the width, of which twice as many are used', () => {
    const { choices } = solve(preset('mh-moe/table-1/fine-grained'), swigluSmoe);
    expect(choices[0]?.changes).toEqual(sizes(1024, 16));
  });

  it('dense: as wide as one expert in MACs, and nowhere near in parameters', () => {
    const [first] = solve(model('swiglu', undefined), swigluSmoe).choices;
    expect(first).toMatchObject({ changes: { 'model.ffn.width': 2048 }, macs: 0, parameters: -0.875 });
  });

  it('PEER: as many experts as hold the parameters, as many retrieved as cost the MACs, with queries and keys', () => {
    const [first] = solve(preset('peer/n-512'), preset('peer/moe')).choices;
    expect(Math.sqrt(first?.changes['model.product_keys.experts'] ?? 0) % 1).toBe(0);
    expect(Math.abs(first?.macsWithRouter ?? 1)).toBeLessThan(0.01);
    expect(Math.abs(first?.parametersWithRouter ?? 1)).toBeLessThan(0.01);
  });

  it('SwitchHead: heads of another width, and a feed-forward network that fills up', () => {
    const { scope, choices } = solve(preset('switchhead/rope-243m/switchhead'), preset('switchhead/rope-243m/dense-16'));
    expect(scope).toBe('model');
    expect(Math.max(Math.abs(choices[0]?.macs ?? 1), Math.abs(choices[0]?.parameters ?? 1))).toBeLessThan(0.001);
    expect(Object.keys(choices[0]?.changes ?? {})).toEqual(expect.arrayContaining(['model.attention.head_width', 'model.ffn.width']));
  });

  it('a dense Transformer beside another one is solved by its feed-forward network', () => {
    const wider = preset('switchhead/c4-47m/dense-2');
    const { choices } = solve(wider, preset('switchhead/c4-47m/dense-10'));
    // 2053 is nearer, but no multiple of 8.
    expect(choices.slice(0, 2).map(({ changes }) => changes['model.ffn.width'])).toEqual([2056, 2053]);
  });
});

describe('what is solved for is what differs', () => {
  const both = (keys: number, experts: number): Experiment =>
    experimentSchema.parse({
      model: {
        d_model: 256,
        layers: 4,
        context: 256,
        attention: { heads: 4 },
        ffn: { width: 1024 },
        moe: { kind: 'smoe', layers: [3], experts, top_k: 1, expert_width: 512 },
        product_keys: { layers: [1], experts: keys, heads: 4, top_k: 16 },
      },
    });

  it('retrieval where the routed experts are the same, else those', () => {
    const keysOf = (subject: Experiment): readonly string[] => Object.keys(solve(subject, both(4096, 8)).exact);
    expect(keysOf(both(2500, 8))).toEqual(['model.product_keys.top_k', 'model.product_keys.experts']);
    expect(keysOf(both(2500, 16))).toEqual(['model.moe.expert_width', 'model.moe.experts']);
  });

  it('the width of heads and the feed-forward networks where only attention differs', () => {
    const [subject, baseline] = [both(4096, 8), both(4096, 8)];
    const narrow = { ...subject, model: { ...subject.model, attention: { ...subject.model.attention, head_width: 48 } } };
    const { scope, choices } = solve(narrow, baseline);
    expect(scope).toBe('attention');
    expect(choices[0]).toMatchObject({ changes: { 'model.attention.head_width': 64, 'model.ffn.width': 1024 }, macs: 0, parameters: 0 });
  });
});
