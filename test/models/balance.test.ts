import { describe, expect, it } from 'vitest';
import type { ExperimentInput } from '../../src/config/schema';
import { experimentSchema } from '../../src/config/schema';
import { differentiate } from '../../src/graph/gradients';
import type { Program, ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { buildLanguageModel } from '../../src/models/languageModel';
import { tinyExperiment } from '../support/experiments';
import { denseGradients, interpret, randomParameters, randomTokens, scalar, stateFeeds, stepMeans } from '../support/programs';
import { layerFeeds, routedLayerProgram, runLayer } from './support/routedLayer';

type Router = NonNullable<NonNullable<ExperimentInput['model']['moe']>['router']>;

const experts = 4;
const tokens = 8;

/** A layer whose router logits are its input: d_model = experts and an identity for a router. */
function lossesOf(router: Router, k: number, logits: readonly (readonly number[])[]) {
  const { model } = experimentSchema.parse({
    model: {
      d_model: experts,
      layers: 1,
      context: tokens,
      attention: { heads: 1 },
      ffn: { width: 3 },
      moe: { kind: 'smoe', experts, top_k: k, expert_width: 2, every: 1, router },
    },
  });
  const built = routedLayerProgram(model, tokens);
  const feeds = layerFeeds(built, tokens, 1);
  const weight = built.program.parameters.find(({ name }) => name === 'router.weight')?.value ?? -1;
  const identity = Float64Array.from({ length: experts * experts }, (_, i) => (i % (experts + 1) === 0 ? 1 : 0));
  feeds.set(weight, { shape: [experts, experts], data: identity });
  feeds.set(built.x, { shape: [tokens, experts], data: Float64Array.from(logits.flat()) });
  return runLayer(built, tokens, feeds);
}

const rows = (logit: (unit: number, expert: number) => number): number[][] =>
  Array.from({ length: tokens }, (_, unit) => Array.from({ length: experts }, (_unused, expert) => logit(unit, expert)));

/** Unit u wants experts u, u + 1, ... (mod experts): every expert is wanted as much as any other. */
const balanced = rows((unit, expert) => 3 - ((expert - unit + tokens) % experts));

/** All units want the first k experts, and no other. */
const collapsed = (k: number) => rows((_, expert) => (expert < k ? 60 : -60));

const shareLosses = [
  { balance: 'switch', k: 1, score: 'softmax', most: experts },
  { balance: 'gshard_first', k: 1, score: 'softmax', most: experts },
  { balance: 'gshard_first', k: 2, score: 'sigmoid', most: experts / 2 },
  { balance: 'top_k', k: 1, score: 'sigmoid', most: experts },
  { balance: 'top_k', k: 2, score: 'softmax', most: experts / 2 },
  { balance: 'top_k', k: 3, score: 'sigmoid', most: experts / 3 },
] as const;

describe('balance losses', () => {
  it.each(shareLosses)('$balance, k = $k, $score: 1 when balanced, $most when collapsed onto k experts', ({ balance, k, score, most }) => {
    expect(lossesOf({ balance, score }, k, balanced).balance).toBeCloseTo(1, 12);
    expect(lossesOf({ balance, score }, k, collapsed(k)).balance).toBeCloseTo(most, 12);
  });

  it.each(['softmax', 'sigmoid'] as const)('entropy, %s: -log E when balanced, 0 when collapsed', (score) => {
    expect(lossesOf({ balance: 'entropy', score }, 1, balanced).balance).toBeCloseTo(-Math.log(experts), 12);
    // 1 - p is exp(-120), so p log p of the others is nothing in float64 either.
    expect(lossesOf({ balance: 'entropy', score }, 1, collapsed(1)).balance).toBeCloseTo(0, 12);
  });

  it('stay below their maximum in between', () => {
    const leaning = rows((unit, expert) => (expert === 0 ? 2 : ((unit * 7 + expert * 5) % 4) / 4));
    const { balance = NaN } = lossesOf({ balance: 'gshard_first' }, 2, leaning);
    expect(balance).toBeGreaterThan(1);
    expect(balance).toBeLessThan(experts);
  });

  it.each(['none', 'loss_free'] as const)('%s: there is none', (balance) => {
    expect(lossesOf({ balance }, 2, balanced).balance).toBeUndefined();
  });
});

describe('the router z-loss', () => {
  it('is the mean squared logsumexp of the logits', () => {
    expect(
      lossesOf(
        { z_loss_weight: 0.1 },
        1,
        rows(() => 0),
      ).zLoss,
    ).toBeCloseTo(Math.log(experts) ** 2, 12);
    const half = rows((unit) => (unit % 2 === 0 ? 5 : -5));
    const [high, low] = [5 + Math.log(experts), -5 + Math.log(experts)];
    expect(lossesOf({ z_loss_weight: 0.1 }, 1, half).zLoss).toBeCloseTo((high ** 2 + low ** 2) / 2, 12);
  });

  it('is not there with weight 0', () => {
    expect(lossesOf({}, 1, balanced).zLoss).toBeUndefined();
  });
});

const micro = { batch: 2, time: 6 };
const big = { batch: 6, time: 6 };

/** Loss, balance and gradients of one microbatch. */
function backward(program: Program, bindings: { batch: number; time: number }, feeds: ReadonlyMap<ValueId, NdArray>) {
  const differentiated = differentiate(program);
  const gradients = denseGradients(differentiated);
  const { loss, balance } = program.outputs;
  const values = interpret(differentiated.program, { bindings, feeds, wanted: [loss, balance ?? loss, ...gradients] });
  return {
    loss: scalar(values, loss),
    balance: scalar(values, balance ?? loss),
    gradients: gradients.map((id) => values.get(id)?.data as Float64Array),
  };
}

describe('balance of the whole step', () => {
  const kinds = [
    ...(['gshard_first', 'top_k', 'entropy'] as const).flatMap((balance) =>
      (['softmax', 'sigmoid'] as const).map((score) => ({ balance, score, select: 'top_k' as const })),
    ),
    // How many choices there are differs from microbatch to microbatch.
    { balance: 'top_k' as const, score: 'softmax' as const, select: 'dynamic' as const },
    { balance: 'top_k' as const, score: 'softmax' as const, select: 'top_p' as const },
  ];

  it.each(kinds)('$balance, $score, $select: three microbatches are one big batch, in loss and gradients', ({ balance, score, select }) => {
    const moe = { kind: 'mh-moe', heads: 2, every: 1, experts: 5, top_k: 2, expert_width: 4 };
    const programOf = (balance_scope: 'micro' | 'global'): Program =>
      buildLanguageModel(
        tinyExperiment({ moe: { ...moe, router: { balance, balance_scope, score, select, balance_weight: 0.5 } } }, { batch_tokens: 36 }),
      );
    const [whole, step] = [programOf('micro'), programOf('global')];
    expect(whole.statistics).toEqual([]);
    expect(step.statistics).toHaveLength(2);

    const parametersOf = (program: Program) => randomParameters(program, 5, 0.6);
    const tokensOf = (program: Program) => {
      const fed = randomTokens(program, big, 11, 5);
      // As many scored targets in every microbatch: then the mean of their losses is that of all targets.
      const targets = fed.get(program.inputs[1]?.value ?? -1);
      targets?.data.set([3], 1);
      return fed;
    };
    const expected = backward(whole, big, new Map([...parametersOf(whole), ...tokensOf(whole)]));

    const microbatches = [0, 1, 2].map((index) => {
      const part = ({ data }: NdArray): NdArray => ({ shape: [2, 6], data: data.slice(index * 12, (index + 1) * 12) });
      return new Map([...parametersOf(step), ...[...tokensOf(step)].map(([id, value]) => [id, part(value)] as const)]);
    });
    const means = stepMeans(step, micro, microbatches);
    const runs = microbatches.map((feeds) => backward(step, micro, new Map([...feeds, ...means])));
    const mean = (figure: (run: (typeof runs)[number]) => number): number => runs.reduce((sum, run) => sum + figure(run) / 3, 0);

    expect(Math.abs(mean((run) => run.loss) - expected.loss)).toBeLessThan(1e-12);
    expect(Math.abs(mean((run) => run.balance) - expected.balance)).toBeLessThan(1e-12);
    expected.gradients.forEach((gradient, parameter) => {
      const error = Math.max(...gradient.map((g, i) => Math.abs(g - mean((run) => run.gradients[parameter]?.[i] ?? NaN))));
      expect(error, whole.parameters[parameter]?.name).toBeLessThan(1e-12);
    });

    // What balances microbatches by themselves is something else, or there would be nothing to test.
    const apart = microbatches.map((feeds) => backward(step, micro, new Map([...feeds, ...stepMeans(step, micro, [feeds])])));
    expect(Math.abs(apart.reduce((sum, run) => sum + run.balance / 3, 0) - expected.balance)).toBeGreaterThan(1e-6);
  });

  it('needs no figure of the step where a step is one microbatch', () => {
    const moe = { kind: 'smoe', experts: 4, top_k: 1, expert_width: 4, router: { balance_scope: 'global' } };
    expect(buildLanguageModel(tinyExperiment({ moe }, { batch_tokens: 12 })).statistics).toEqual([]);
    expect(buildLanguageModel(tinyExperiment({ moe }, { batch_tokens: 24 })).statistics).toHaveLength(1);
  });

  it('is not read in evaluation', () => {
    const moe = { kind: 'smoe', experts: 4, top_k: 2, expert_width: 4, router: { balance_scope: 'global', select: 'top_k_biased' } };
    const program = buildLanguageModel(tinyExperiment({ moe }));
    expect(program.statistics.length).toBeGreaterThan(0);
    const feeds = new Map([
      ...randomParameters(program, 1),
      ...stateFeeds(program, micro, 1, 'evaluation'),
      ...randomTokens(program, micro, 11, 1),
    ]);
    const { negativeLogLikelihood } = program.outputs;
    // No mean is fed: reading one would throw.
    expect(
      scalar(interpret(program, { bindings: micro, mode: 'evaluation', feeds, wanted: [negativeLogLikelihood] }), negativeLogLikelihood),
    ).toBeGreaterThan(0);
  });
});
