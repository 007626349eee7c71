import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { causality } from '../../src/config/causality';
import { semanticFindings } from '../../src/config/semanticRules';
import { experimentSchema } from '../../src/config/schema';
import type { Experiment, ExperimentInput } from '../../src/config/schema';
import { AblationError, expertShape } from '../../src/models/ablation';
import { randomExperiment } from '../support/randomExperiments';
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
      { numRuns: 200 },
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
