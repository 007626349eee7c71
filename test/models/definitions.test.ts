import { describe, expect, it } from 'vitest';
import { elementCount } from '../../src/graph/dimensions';
import type { NodeOf, Program, ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { buildLanguageModel } from '../../src/models/languageModel';
import { layerKinds, tinyExperiment } from '../support/experiments';
import { gradientErrors } from '../support/gradientCheck';
import { interpret, randomParameters, randomTokens, scalar, stateFeeds } from '../support/programs';

const bindings = { batch: 2, time: 6 };

function feedsOf(program: Program, seed = 1): Map<ValueId, NdArray> {
  return new Map([
    ...randomParameters(program, seed, 0.6),
    ...randomTokens(program, bindings, 11, seed),
    ...stateFeeds(program, bindings, seed),
  ]);
}

describe.each(layerKinds)('$name', ({ model }) => {
  const program = buildLanguageModel(tinyExperiment(model));

  it('has the gradients of its finite differences', () => {
    for (const { parameter, error } of gradientErrors(program, bindings, feedsOf(program))) {
      expect(error, parameter).toBeLessThan(1e-6);
    }
  });

  it('is equal after a trip through JSON', () => {
    expect(JSON.parse(JSON.stringify(program))).toEqual(program);
  });
});

/** The routed layer computed without routing: every expert on every unit, masked by the gate. */
function denseMaskedSum(program: Program, values: ReadonlyMap<ValueId, NdArray>): { routed: NdArray; masked: Float64Array } {
  const find = <P extends 'combine' | 'permute' | 'topK'>(op: P): NodeOf<P> => program.nodes.find((node) => node.op === op) as NodeOf<P>;
  const value = (id: ValueId | undefined): NdArray => values.get(id ?? -1) as NdArray;
  const combine = find('combine');
  const weights = value(combine.inputs[1]);
  const chosen = value(find('topK').outputs[0]);
  const units = value(find('permute').inputs[0]);
  const parameter = (suffix: string): NdArray => value(program.parameters.find((p) => p.name.endsWith(`experts.${suffix}`))?.value);
  const [w1, w3, w2] = [parameter('w1'), parameter('w3'), parameter('w2')];
  const [experts = 0, inputs = 0, width = 0] = w1.shape;
  const k = chosen.shape[1] ?? 0;
  const masked = new Float64Array(elementCount(units.shape));
  for (let unit = 0; unit < (units.shape[0] ?? 0); unit++) {
    for (let expert = 0; expert < experts; expert++) {
      let gate = 0;
      for (let j = 0; j < k; j++) if (chosen.data[unit * k + j] === expert) gate += weights.data[unit * k + j] ?? 0;
      const times = (w: NdArray, f: number): number => {
        let sum = 0;
        for (let i = 0; i < inputs; i++) sum += (units.data[unit * inputs + i] ?? 0) * (w.data[(expert * inputs + i) * width + f] ?? 0);
        return sum;
      };
      for (let f = 0; f < width; f++) {
        const gated = times(w3, f);
        const hidden = (gated / (1 + Math.exp(-gated))) * times(w1, f);
        for (let i = 0; i < inputs; i++) {
          const target = unit * inputs + i;
          masked[target] = (masked[target] ?? 0) + gate * hidden * (w2.data[(expert * width + f) * inputs + i] ?? 0);
        }
      }
    }
  }
  return { routed: value(combine.outputs[0]), masked };
}

describe('a routed layer equals the masked sum over all experts', () => {
  it.each(layerKinds.filter(({ name }) => /^(?:smoe top-1|fine-grained|mh-moe)/.test(name)))('$name', ({ model }) => {
    const program = buildLanguageModel(tinyExperiment(model));
    const values = interpret(program, { bindings, feeds: feedsOf(program), wanted: [program.outputs.loss] });
    const { routed, masked } = denseMaskedSum(program, values);
    masked.forEach((element, i) => expect(routed.data[i]).toBeCloseTo(element, 10));
  });
});

describe('the loss', () => {
  it('is the mean cross-entropy of the scored targets plus the weighted balance losses', () => {
    const program = buildLanguageModel(
      tinyExperiment({ moe: { kind: 'smoe', every: 1, experts: 4, top_k: 2, expert_width: 5, router: { balance_weight: 0.25 } } }),
    );
    const { loss, crossEntropy, negativeLogLikelihood, balance } = program.outputs;
    if (balance === null) throw new Error('A routed model has a balance loss.');
    const values = interpret(program, { bindings, feeds: feedsOf(program), wanted: [loss, balance] });
    const scored = 11; // 12 targets, one of them ignored
    expect(scalar(values, crossEntropy)).toBeCloseTo(scalar(values, negativeLogLikelihood) / scored, 12);
    expect(scalar(values, loss)).toBeCloseTo(scalar(values, crossEntropy) + 0.25 * scalar(values, balance), 12);
  });

  it('has a balance of 1 per layer when routing is uniform', () => {
    const program = buildLanguageModel(tinyExperiment({ moe: { kind: 'smoe', experts: 1, top_k: 1, expert_width: 5 } }));
    const { balance } = program.outputs;
    const values = interpret(program, { bindings, feeds: feedsOf(program), wanted: [balance ?? -1] });
    expect(scalar(values, balance ?? -1)).toBeCloseTo(1, 12);
  });

  it('starts at the entropy of a uniform guess', () => {
    const program = buildLanguageModel(tinyExperiment());
    const feeds = new Map([...randomParameters(program, 1, 1e-4), ...randomTokens(program, bindings, 11, 1)]);
    const values = interpret(program, { bindings, feeds, wanted: [program.outputs.crossEntropy] });
    expect(scalar(values, program.outputs.crossEntropy)).toBeCloseTo(Math.log(11), 3);
  });
});
