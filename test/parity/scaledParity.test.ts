import { describe, expect, it } from 'vitest';
import { presetOf } from '../../src/config/presets/catalogue';
import { experimentSchema, type Experiment, type ExperimentInput } from '../../src/config/schema';
import { semanticFindings } from '../../src/config/semanticRules';
import { modelCost } from '../../src/parity/closedForm/modelCost';
import { evenness } from '../../src/parity/evenness';
import { keptParity } from '../../src/parity/scaledParity';
import { scaleToBudget, type Machine, type Pair, type ScaledPair } from '../../src/parity/scaleToBudget';
import { modelWithChanges } from '../../src/parity/solver/knobs';
import { solve, type SolveOptions } from '../../src/parity/solver/solve';

const train = { steps: 100_000, batch_tokens: 262_144, micro_batch: 16, warmup: 375 };
const experiment = (model: ExperimentInput['model']): Experiment => ({ ...experimentSchema.parse({ model, train }) });

function preset(id: string): Experiment {
  const found = presetOf(id);
  if (found === undefined) throw new Error(`There is no preset ${id}.`);
  return experiment(found.experiment.model);
}

const pairOf = (subject: string, baseline: string): Pair => ({ subject: preset(subject), baseline: preset(baseline) });

/** The pair with sizes of the solver's first choice. */
function solved({ subject, baseline }: Pair, options: SolveOptions): Pair {
  const [best] = solve(subject, baseline, options).choices;
  return { subject: { ...subject, model: modelWithChanges(subject.model, best?.changes ?? {}) }, baseline };
}

const here: Machine = {
  secondsOf: ({ model, train: { steps, batch_tokens: tokens } = train }) => (steps * tokens * modelCost(model).macsPerToken.total) / 2e10,
  bytesOf: () => undefined,
};

function scaled(pair: Pair, seconds: number): ScaledPair {
  const found = scaleToBudget(pair, { seconds }, here);
  for (const one of [found.subject, found.baseline]) {
    expect(one.model.d_model).toBeLessThan(pair.baseline.model.d_model);
    expect(semanticFindings(one, {}).filter(({ severity }) => severity === 'error')).toEqual([]);
  }
  return found;
}

const hours = [24 * 3600, 3600];

describe('parity is solved for again, in every architecture', () => {
  it.each([
    ['peer/n-128', 'peer/dense'],
    ['peer/n-512', 'peer/dense'],
    ['peer/n-1024', 'peer/dense'],
    ['peer/pkm', 'peer/dense'],
  ])('%s beside %s: in MACs with queries and keys, and with as many experts for each neuron of it as it had', (subject, baseline) => {
    for (const seconds of hours) {
      const { residuals, before, subject: small } = scaled(pairOf(subject, baseline), seconds);
      expect(evenness(residuals, 'macs')).toBe('with router');
      expect((1 + residuals.parameters) / (1 + before.parameters)).toBeCloseTo(1, 1);
      expect(Math.sqrt(small.model.product_keys?.experts ?? 0) % 1).toBe(0);
    }
  });

  it('heads of a retrieval stay where they can, and become as few as it takes where their queries and keys alone cost more', () => {
    const headsOf = (subject: string) => scaled(pairOf(subject, 'peer/dense'), 3600).subject.model.product_keys?.heads;
    expect(headsOf('peer/n-512')).toBe(8);
    expect(headsOf('peer/n-1024')).toBe(4);
  });

  it.each([
    ['peer/n-512', 'peer/moe'],
    ['peer/pkm', 'peer/moe'],
  ])('%s beside %s, both sparse: in both', (subject, baseline) => {
    const { residuals } = scaled(pairOf(subject, baseline), 3600);
    expect([evenness(residuals, 'macs'), evenness(residuals, 'parameters')]).toEqual(['with router', 'both ways']);
  });

  it.each([
    ['switchhead/c4-47m/switchhead', 'switchhead/c4-47m/dense-10'],
    ['switchhead/rope-243m/shared-selection', 'switchhead/rope-243m/dense-16'],
    ['switchhead/c4-47m/switchall', 'switchhead/c4-47m/dense-10'],
    ['switchhead/wikitext-103-262m/switchall', 'switchhead/wikitext-103-262m/dense-16'],
  ])('%s beside %s, which are equal in parameters alone: in those', (subject, baseline) => {
    for (const seconds of hours) {
      const { residuals, before } = scaled(pairOf(subject, baseline), seconds);
      expect([before, residuals].map((one) => evenness(one, 'parameters'))).toEqual(['both ways', 'both ways']);
      expect(residuals.macs).toBeLessThan(-0.1);
    }
  });

  it('SwitchHead beside a dense model that it has been made equal to in both: in both', () => {
    const pair = solved(pairOf('switchhead/c4-47m/switchhead', 'switchhead/c4-47m/dense-10'), {});
    const { residuals, before } = scaled(pair, 3600);
    for (const one of [before, residuals]) expect([one.macs, one.parameters].every((residual) => Math.abs(residual) < 0.02)).toBe(true);
  });

  it.each([
    ['dynamic-moe/top-p', 'dynamic-moe/top-2'],
    ['da-style/causal', 'da-style/causal-fixed'],
    ['da-style/encoder', 'da-style/encoder-fixed'],
  ])('%s beside %s, of numbers of experts that vary: in both, at the mean', (subject, baseline) => {
    const { residuals, subject: small } = scaled(pairOf(subject, baseline), 3600);
    expect(residuals).toMatchObject({ macs: 0, parameters: 0 });
    expect(small.model.moe?.router.select).toBe(preset(subject).model.moe?.router.select);
  });
});

describe('what a pair is equal in', () => {
  const multiHead = pairOf('mh-moe/table-1/mh-moe-2', 'mh-moe/table-1/smoe');
  const kept = ({ subject, baseline }: Pair) => keptParity(subject.model, baseline.model);

  it('is counted as it is equal: without the router, with it, or as usual', () => {
    const narrow = (expertWidth: number, experts: number): Pair => {
      const base = { d_model: 64, layers: 4, context: 32, attention: { heads: 4 }, ffn: { width: 128 } };
      return {
        subject: experiment({ ...base, moe: { kind: 'mh-moe', heads: 2, top_k: 2, expert_width: expertWidth, experts } }),
        baseline: experiment({ ...base, moe: { kind: 'smoe', experts: 8, top_k: 1, expert_width: 128 } }),
      };
    };
    expect(kept(multiHead)).toEqual({ target: 'both', withRouter: undefined });
    expect(kept(narrow(43, 46))).toEqual({ target: 'both', withRouter: false });
    expect(kept(narrow(35, 56))).toEqual({ target: 'both', withRouter: true });
  });

  it.each([
    [true, 'with router'],
    [false, 'without router'],
  ] as const)('is that again where routers are dear: counted with them, %s', (withRouter, counted) => {
    const base = { d_model: 256, layers: 4, context: 256, attention: { heads: 4 }, ffn: { width: 512 } };
    const subject = experiment({ ...base, moe: { kind: 'mh-moe', heads: 4, top_k: 2, expert_width: 256, experts: 64 } });
    const baseline = experiment({ ...base, moe: { kind: 'smoe', experts: 8, top_k: 1, expert_width: 512 } });
    const { residuals, before } = scaled(solved({ subject, baseline }, { withRouter }), 24 * 3600);
    expect([before, residuals].map((one) => evenness(one, 'macs'))).toEqual([counted, counted]);
  });

  it('of a sparse model and a dense one is parameters, MACs, both, or MACs to be', () => {
    const published = pairOf('switchhead/c4-47m/switchhead', 'switchhead/c4-47m/dense-10');
    expect(kept(published).target).toBe('parameters');
    expect(kept(solved(published, {})).target).toBe('both');
    expect(kept(pairOf('mh-moe/table-1/dense', 'mh-moe/table-1/smoe')).target).toBe('macs');
    expect(kept(pairOf('peer/n-512', 'peer/dense')).target).toBe('macs');
  });
});
