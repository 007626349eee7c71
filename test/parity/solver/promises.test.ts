import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { presets, presetOf } from '../../../src/config/presets/catalogue';
import type { Experiment, ExperimentInput } from '../../../src/config/schema';
import { experimentSchema } from '../../../src/config/schema';
import { semanticFindings } from '../../../src/config/semanticRules';
import { countModel } from '../../../src/models/count';
import { buildLanguageModel } from '../../../src/models/languageModel';
import { residuals } from '../../../src/parity/compareWithBaseline';
import { modelWithChanges } from '../../../src/parity/solver/knobs';
import type { Choice, ParityTarget, Solution } from '../../../src/parity/solver/solve';
import { solve } from '../../../src/parity/solver/solve';
import { randomExperiment } from '../../support/randomExperiments';

/** Counted from the program, as everything else that the product shows. */
function counted(experiment: Experiment): ReturnType<typeof countModel> {
  return countModel(buildLanguageModel(experiment), experiment.model);
}

/** Errors and warnings of a config that states all of its keys, by their codes. */
function warnings(experiment: Experiment): readonly string[] {
  return semanticFindings(experiment, experiment).flatMap(({ severity, code }) => (severity === 'information' ? [] : [code]));
}

function promised({ changes: _, ...figures }: Choice): Omit<Choice, 'changes'> {
  return figures;
}

/** What rebuilding and counting each choice gives is what it promises, and the config accepts it without a new warning. */
function expectKept(subject: Experiment, baseline: Experiment, { choices }: Solution): void {
  const theirs = counted(baseline);
  for (const choice of choices) {
    // By the schema, so that a size beyond its bounds fails.
    const solved = experimentSchema.parse({ ...subject, model: modelWithChanges(subject.model, choice.changes) });
    expect(warnings(solved).filter((code) => !warnings(subject).includes(code))).toEqual([]);
    const { parameters, macs, macsWithRouter, compared } = residuals('', counted(solved), theirs);
    expect(promised(choice)).toEqual({ ...compared, model: { parameters, macs, macsWithRouter } });
  }
}

/** `RANDOM_EXPERIMENTS=3000 npx vitest run test/parity/solver` for the long form. */
const runs = { seed: 2411, endOnFailure: true, numRuns: Number(process.env.RANDOM_EXPERIMENTS ?? 100) };

const target = fc.constantFrom<ParityTarget>('both', 'macs', 'parameters');

/** Models of the sizes that people train, in every family. */
const largeModel: fc.Arbitrary<Experiment> = fc.gen().map((generate) => {
  const oneOf = <const T>(...values: readonly T[]): T => generate(() => fc.constantFrom(...values)) as T;
  const d = oneOf(128, 384, 768, 1024, 1536);
  const layers = oneOf(2, 4, 6);
  const kind = oneOf('dense', 'smoe', 'mh-moe', 'mh-moe', 'peer', 'pkm', 'switch-head', 'switch-all');
  const width = generate(() => fc.integer({ min: 1, max: 64 })) * oneOf(8, 32, 100);
  const routed = (more: object) => ({
    kind: 'smoe',
    every: oneOf(1, 2),
    experts: oneOf(4, 8, 16, 64),
    top_k: oneOf(1, 2, 4),
    expert_width: width,
    shared_width: oneOf(0, 0, 256),
    router: { balance: 'gshard_first', type: oneOf('linear', 'linear', 'cosine') },
    ...more,
  });
  const multiHead = {
    kind: 'mh-moe',
    heads: oneOf(1, 2, 4, 8),
    head_layer: oneOf(true, true, false),
    merge_layer: oneOf(true, true, false),
  };
  const keys = { heads: oneOf(1, 2, 8), top_k: oneOf(4, 16), key_width: oneOf(64, 128), experts: oneOf(32, 64, 300) ** 2 };
  const headExperts = { experts: oneOf(4, 5, 8), top_k: oneOf(1, 2, 4), shared_selection: oneOf(true, false) };
  const switched = kind === 'switch-head' || kind === 'switch-all';
  return experimentSchema.parse({
    model: {
      vocabulary: 32_000,
      d_model: d,
      layers,
      context: oneOf(256, 1024),
      attention: switched ? { heads: oneOf(2, 4), head_width: oneOf(64, 76), moe: headExperts } : { heads: oneOf(4, 8) },
      ffn: { width: oneOf(512, 2048, 3072), activation: oneOf('swiglu', 'relu') },
      ...(kind === 'smoe' || kind === 'switch-all' ? { moe: routed({}) } : {}),
      ...(kind === 'mh-moe' ? { moe: routed(multiHead) } : {}),
      ...(kind === 'peer' || kind === 'pkm' ? { product_keys: { kind, ...keys } } : {}),
    },
  } as ExperimentInput);
});

describe('solved configs, rebuilt and counted from the graph, have exactly the residuals promised', () => {
  it('of tiny experiments over everything that a config can choose', () => {
    fc.assert(
      fc.property(randomExperiment, randomExperiment, target, (subject, baseline, aim) => {
        expectKept(subject, baseline, solve(subject, baseline, { target: aim, limit: 4 }));
      }),
      runs,
    );
  });

  it('of models as they are trained, in every family, against any other', () => {
    fc.assert(
      fc.property(largeModel, largeModel, target, (subject, other, aim) => {
        // Of one width, as in every published comparison.
        const baseline = { ...other, model: { ...other.model, d_model: subject.model.d_model, layers: subject.model.layers } };
        if (semanticFindings(baseline, baseline).some(({ severity }) => severity === 'error')) return;
        expectKept(subject, baseline, solve(subject, baseline, { target: aim, limit: 3 }));
      }),
      runs,
    );
  });

  it('of every preset against its baseline, the best three', () => {
    for (const { id, baseline, experiment } of presets) {
      const other = baseline === undefined ? undefined : presetOf(baseline);
      if (other === undefined || other.id === id || /-without-norm|pes2o|table-[2-6]/.test(id)) continue;
      const [subject, theirs] = [experimentSchema.parse(experiment), experimentSchema.parse(other.experiment)];
      expectKept(subject, theirs, solve(subject, theirs, { limit: 3 }));
    }
  });
});

describe('choices', () => {
  it('are ordered: none within 1 % comes after one that is not, where heads and top_k stay', () => {
    fc.assert(
      fc.property(largeModel, largeModel, (subject, other) => {
        const baseline = { ...other, model: { ...other.model, d_model: subject.model.d_model } };
        const { choices } = solve(subject, baseline);
        const tried = /heads$|top_k$|key_width$|attention\.moe\.experts$/;
        const keeping = choices.filter(({ changes }) => Object.keys(changes).every((key) => !tried.test(key)));
        const withRouter = subject.model.product_keys !== undefined;
        const near = keeping.map(
          (one) =>
            Math.max(...(withRouter ? [one.macsWithRouter, one.parametersWithRouter] : [one.macs, one.parameters]).map(Math.abs)) <= 0.01,
        );
        // A dense model has no routed layer to compare: which of its layers differ, and so the denominator, changes with its width.
        if (subject.model.moe === undefined && subject.model.product_keys === undefined) return;
        expect(near.lastIndexOf(true)).toBeLessThan(near.includes(false) ? Math.max(near.indexOf(false), 1) : near.length);
      }),
      runs,
    );
  });

  it('of one target that none is at come by how far they are from it, and not by the other axis', () => {
    const pair = (moe: object): Experiment =>
      experimentSchema.parse({
        model: {
          d_model: 64,
          layers: 4,
          context: 32,
          attention: { heads: 4 },
          ffn: { width: 128 },
          moe: { every: 2, experts: 20, top_k: 2, expert_width: 48, ...moe },
        },
      } as ExperimentInput);
    const smoe = pair({ kind: 'smoe', experts: 8, top_k: 1, expert_width: 128 });
    const { choices } = solve(pair({ kind: 'mh-moe', heads: 2 }), smoe, { target: 'macs', keys: ['model.moe.expert_width'] });
    expect(choices.map(({ changes }) => changes['model.moe.expert_width'])).toEqual([43, 42, 41, 40, 48]);
  });

  it('are found in bounded work for models of any size', () => {
    const huge = experimentSchema.parse({
      model: {
        d_model: 1_048_576,
        layers: 256,
        context: 16_777_216,
        vocabulary: 16_777_216,
        attention: { heads: 4 },
        ffn: { width: 1_048_576 },
        moe: { kind: 'mh-moe', heads: 65_536, experts: 1_048_576, top_k: 1, expert_width: 1_048_576 },
      },
    });
    expect(solve(huge, huge).choices.length).toBeGreaterThan(0);
  });
});
