import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { causality } from '../../src/config/causality';
import { semanticFindings } from '../../src/config/semanticRules';
import { experimentSchema } from '../../src/config/schema';
import type { Experiment, ExperimentInput } from '../../src/config/schema';
import { AblationError, expertShape } from '../../src/models/ablation';
import { randomExperiment } from '../support/randomExperiments';
import { ShapeError } from '../../src/graph/shapes';
import { buildLanguageModel } from '../../src/models/languageModel';
import { load } from './memoryFiles';

/** The config refuses what models cannot build and nothing else, and warns of every language model that is not causal. */
const codes = (experiment: Experiment): string[] => semanticFindings(experiment, experiment).map(({ code }) => code);

const plain = { d_model: 24, layers: 2, context: 4, attention: { heads: 2 }, ffn: { width: 8 } };

type Moe = NonNullable<ExperimentInput['model']['moe']>;

function experiment(moe: Partial<Moe>, model: Partial<ExperimentInput['model']> = {}): Experiment {
  return experimentSchema.parse({ model: { ...plain, ...model, moe: { kind: 'smoe', experts: 4, top_k: 2, expert_width: 8, ...moe } } });
}

describe('what is not causal', () => {
  it('is warned of, but for a masked model', () => {
    let notCausal = 0;
    for (const select of ['top_k', 'expert_choice'] as const)
      for (const top_k of [1, 2])
        for (const capacity_factor of [undefined, 1])
          for (const capacity_in_evaluation of [false, true])
            for (const capacity_priority of ['first_choice', 'position'] as const)
              for (const every of [1, 3])
                for (const objective of ['causal', 'masked'] as const) {
                  const config = experiment(
                    { top_k, every, router: { select, capacity_factor, capacity_in_evaluation, capacity_priority } },
                    { objective },
                  );
                  const { causal } = causality(config);
                  // A masked model is not one of those whose perplexity would be taken for a causal one's.
                  expect(codes(config).includes('not-causal')).toBe(!causal && objective === 'causal');
                  if (!causal) notCausal += 1;
                }
    expect(notCausal).toBeGreaterThan(0);
  });

  it('so is a budget of experts where their number varies, and what a token receives is refused in a causal model', () => {
    for (const objective of ['causal', 'masked'] as const)
      for (const importance of ['entropy', 'row_max', 'received', 'cls_row'] as const)
        for (const budget of [false, true])
          for (const k_max of [2, 3]) {
            const config = experiment({ router: { select: 'dynamic', importance, budget, k_min: 2, k_max } }, { objective });
            const { causal, reasons } = causality(config);
            const [varies, foresees] = [k_max > 2, importance === 'received' || importance === 'cls_row'];
            const causes = reasons.map(({ cause }) => cause);
            expect(causes).toEqual([
              ...(objective === 'masked' ? ['masked'] : []),
              ...(budget && varies ? ['budget'] : []),
              ...(foresees ? ['importance'] : []),
            ]);
            expect(causal).toBe(causes.length === 0);
            expect(codes(config).includes('dynamic-importance')).toBe(objective === 'causal' && foresees);
            if (objective === 'causal' && foresees) expect(() => buildLanguageModel(config)).toThrow(ShapeError);
            else expect(() => buildLanguageModel(config)).not.toThrow();
            expect(codes(config).includes('not-causal')).toBe(objective === 'causal' && !foresees && !causal);
          }
  });
});

describe('attention, product keys and numbers of experts', () => {
  const attention = { heads: 2, head_width: 4 };
  const moe = { experts: 4, top_k: 2 };
  const keys = { experts: 16, heads: 2, top_k: 3, key_width: 4 };
  const dynamic = { kind: 'smoe', experts: 4, top_k: 2, expert_width: 8 } as const;

  it.each<[string, Partial<ExperimentInput['model']>]>([
    ['xl-odd-width', { d_model: 9, attention: { ...attention, position: 'xl' } }],
    ['xl-masked', { objective: 'masked', attention: { ...attention, position: 'xl' } }],
    ['odd-head-width', { attention: { heads: 2, head_width: 3 } }],
    ['attention-top-k', { attention: { ...attention, moe: { experts: 2, top_k: 3 } } }],
    ['attention-experts-kv-heads', { attention: { ...attention, kv_heads: 1, moe: { ...moe, projections: ['key'] } } }],
    ['product-keys-top-k', { product_keys: { ...keys, top_k: 5 } }],
    ['product-keys-experts', { product_keys: { ...keys, experts: 17 } }],
    ['product-keys-key-width', { product_keys: { ...keys, key_width: 5 } }],
    ['dynamic-xl', { attention: { ...attention, position: 'xl' }, moe: { ...dynamic, router: { select: 'dynamic' } } }],
    ['k-range', { moe: { ...dynamic, router: { select: 'dynamic', k_max: 5 } } }],
  ])('%s: what the config refuses', (code, model) => {
    const config = experimentSchema.parse({ model: { ...plain, ...model } });
    expect(codes(config)).toContain(code);
  });

  it.each<[string, Partial<ExperimentInput['model']>]>([
    ['an odd head, half of it rotated', { attention: { heads: 2, head_width: 5, rope_share: 0.5 } }],
    [
      'relative positions, norms of keys, shared keys',
      { attention: { heads: 4, head_width: 3, kv_heads: 2, qk_norm: 'head', position: 'xl' } },
    ],
    [
      'SwitchHead, every projection, over a cached chunk',
      { attention: { ...attention, position: 'xl', qk_norm: 'full', moe: { ...moe, projections: ['query', 'key', 'value', 'output'] } } },
    ],
    ['shared keys with experts for the output', { attention: { ...attention, kv_heads: 1, moe: { ...moe, projections: ['output'] } } }],
    ['a single expert in each head', { attention: { ...attention, moe: { experts: 1, top_k: 1, shared_selection: true } } }],
    ['PEER', { product_keys: { ...keys, activation: 'glu', query_norm: 'none', score: 'sigmoid' } }],
    ['PKM in every layer', { product_keys: { ...keys, kind: 'pkm', layers: [0, 1], optimizer: 'dense' } }],
    ['as 2312.07987 begins', { initialization: 'fan_in', norm: 'layer', scale_embeddings: true, tie_embeddings: false }],
  ])('%s: what it accepts, models build', (_, model) => {
    const text = stringify({ model: { ...plain, ...model } });
    const { experiment: config, findings } = load(text);
    expect(findings).toEqual([]);
    if (config === undefined) throw new Error('The config has no findings.');
    expect(() => buildLanguageModel(config)).not.toThrow();
  });
});

describe('random experiments', () => {
  it('that build are accepted by the config, and warned of where they are not causal', () => {
    fc.assert(
      fc.property(randomExperiment, (drawn) => {
        const { experiment: loaded, findings } = load(stringify(drawn));
        expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
        expect(loaded).toEqual(drawn);
        expect(codes(drawn).includes('not-causal')).toBe(!causality(drawn).causal && drawn.model.objective === 'causal');
      }),
      { numRuns: 200, endOnFailure: true },
    );
  });
});

describe('the widths of iso-MAC', () => {
  it('are refused by the config exactly where no whole width fits, and leave at least top_k experts', () => {
    let refused = 0;
    for (const d_model of [24, 40])
      for (const top_k of [1, 2, 3])
        for (const activation of ['swiglu', 'gelu'] as const)
          for (const head_layer of [false, true])
            for (const merge_layer of [false, true]) {
              const config = experiment(
                { kind: 'mh-moe', heads: 2, top_k, head_layer, merge_layer, ablation: 'iso_mac' },
                { d_model, ffn: { width: 8, activation } },
              );
              const { moe } = config.model;
              if (moe === undefined) throw new Error('unreachable');
              const refuses = codes(config).includes('iso-mac-width');
              if (refuses) {
                refused += 1;
                expect(() => expertShape(config.model, moe)).toThrow(AblationError);
              } else {
                expect(expertShape(config.model, moe).experts).toBeGreaterThanOrEqual(top_k);
              }
            }
    expect(refused).toBeGreaterThan(0);
  });
});
