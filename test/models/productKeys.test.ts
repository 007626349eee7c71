import { describe, expect, it } from 'vitest';
import { productKeysSchema } from '../../src/config/productKeysSchema';
import { differentiate, valuesOfGradient } from '../../src/graph/gradients';
import type { ValueId } from '../../src/graph/program';
import type { NdArray } from '../../src/graph/reference/array';
import { buildLanguageModel } from '../../src/models/languageModel';
import { tinyExperiment } from '../support/experiments';
import { gradientArrays, interpret } from '../support/programs';
import type { KeysInput, KeysProgram } from './support/productKeysLayer';
import { keysConfig, keysFeeds, keysProgram, oracleRun, runKeys } from './support/productKeysLayer';
import { productKeysOracle } from './support/productKeysOracle';
import type { Matrix } from './support/routedLayerOracle';
import { matrixOf } from './support/routedLayer';

const d = 5;
const tokens = 7;

/** What a layer of each kind can be. */
const kinds: readonly { readonly name: string; readonly keys: KeysInput }[] = [
  ...(['gelu', 'relu', 'glu'] as const).flatMap((activation) =>
    (['softmax', 'sigmoid'] as const).flatMap((score) =>
      (['batch', 'none'] as const).map((query_norm) => ({
        name: `peer ${activation}, ${score}, norm ${query_norm}`,
        keys: { activation, score, query_norm },
      })),
    ),
  ),
  ...(['batch', 'none'] as const).map((query_norm) => ({ name: `pkm, norm ${query_norm}`, keys: { kind: 'pkm' as const, query_norm } })),
  { name: 'one head, one choice', keys: { heads: 1, top_k: 1 } },
  { name: 'more heads than experts', keys: { experts: 4, heads: 5, top_k: 2 } },
];

const gap = (a: Matrix, b: Matrix): number => Math.max(...a.flatMap((row, i) => row.map((e, j) => Math.abs(e - (b[i]?.[j] ?? NaN)))));

const xOf = ({ x }: KeysProgram, feeds: ReadonlyMap<ValueId, NdArray>): Matrix =>
  matrixOf(feeds.get(x) ?? { shape: [0, 0], data: new Float64Array() });

/** The gradient of every parameter, in the order of the program's. */
function gradientsOf(built: KeysProgram, feeds: ReadonlyMap<ValueId, NdArray>): NdArray[] {
  const differentiated = differentiate(built.program);
  const wanted = differentiated.gradients.flatMap(valuesOfGradient);
  return gradientArrays(differentiated, interpret(differentiated.program, { bindings: { batch: 1, time: tokens }, feeds, wanted }));
}

describe('a layer of product keys equals one that scores every expert', () => {
  it.each(kinds)('$name: in training and evaluation', ({ keys }) => {
    const built = keysProgram(keysConfig(keys), tokens, d);
    for (const [seed, mode] of [...[1, 2, 3].map((s) => [s, 'training'] as const), [4, 'evaluation'] as const]) {
      const feeds = keysFeeds(built, tokens, seed);
      const actual = runKeys(built, tokens, feeds, mode);
      const expected = productKeysOracle(xOf(built, feeds), built.config, oracleRun(built, feeds, mode));
      expect(actual.chosen).toEqual(expected.chosen);
      expect(gap(actual.weights, expected.weights)).toBeLessThan(1e-12);
      expect(gap(actual.output, expected.output)).toBeLessThan(1e-11);
      expect(Math.max(...expected.output.flat().map(Math.abs))).toBeGreaterThan(0.01);
    }
  });

  it.each(kinds)('$name: in the gradient of every weight', ({ keys }) => {
    const built = keysProgram(keysConfig({ experts: 16, ...keys }), tokens, d);
    const feeds = keysFeeds(built, tokens, 6);
    const g = matrixOf(
      feeds.get(built.program.parameters.find(({ name }) => name === 'g')?.value ?? -1) ?? { shape: [0, 0], data: new Float64Array() },
    );
    const lossWith = (moved: ReadonlyMap<ValueId, NdArray>): number => {
      const { output } = productKeysOracle(xOf(built, moved), built.config, oracleRun(built, moved, 'training'));
      return output.reduce((sum, row, t) => sum + row.reduce((s, e, i) => s + e * (g[t]?.[i] ?? NaN), 0), 0);
    };
    gradientsOf(built, feeds).forEach((gradient, index) => {
      const parameter = built.program.parameters[index];
      const at = feeds.get(parameter?.value ?? -1);
      if (parameter === undefined || at === undefined) throw new RangeError('No such parameter.');
      // g multiplies what comes out: the oracle holds it fixed.
      if (parameter.name === 'g') return;
      // Of large tables every seventh element, so that rows used and rows not used come up.
      const stride = at.data.length > 60 ? 7 : 1;
      for (let element = 0; element < at.data.length; element += stride) {
        const shifted = (step: number): number => {
          const data = Float64Array.from(at.data);
          data[element] = (data[element] ?? NaN) + step;
          return lossWith(new Map([...feeds, [parameter.value, { ...at, data }]]));
        };
        const numeric = (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
        expect(Math.abs((gradient.data[element] ?? NaN) - numeric), `${parameter.name}[${element}]`).toBeLessThan(
          1e-6 * Math.max(1, Math.abs(numeric)),
        );
      }
    });
  });

  it.each([64, 256, 1024, 4096, 16_384])('of %i experts', (experts) => {
    const config = keysConfig({ experts, heads: 2, top_k: 8, key_width: 8 });
    const built = keysProgram(config, 3, d);
    const feeds = keysFeeds(built, 3, experts);
    const actual = runKeys(built, 3, feeds, 'training');
    const expected = productKeysOracle(xOf(built, feeds), config, oracleRun(built, feeds, 'training'));
    expect(actual.chosen).toEqual(expected.chosen);
    expect(gap(actual.output, expected.output)).toBeLessThan(1e-11);
    expect(Math.max(...actual.chosen.flat())).toBeGreaterThan(experts / 4);
  });
});

describe('row-sparse gradients', () => {
  it.each(kinds)('$name: are the dense ones', ({ keys }) => {
    const [lazy, dense] = (['lazy', 'dense'] as const).map((optimizer) => keysProgram(keysConfig({ ...keys, optimizer }), tokens, d));
    if (lazy === undefined || dense === undefined) throw new RangeError('Two programs.');
    const feeds = keysFeeds(lazy, tokens, 8);
    const ofDense = new Map(
      dense.program.parameters.map(({ value }, i) => [value, feeds.get(lazy.program.parameters[i]?.value ?? -1) as NdArray] as const),
    );
    const [rows, tables] = [gradientsOf(lazy, feeds), gradientsOf(dense, new Map([...keysFeeds(dense, tokens, 8), ...ofDense]))];
    rows.forEach((gradient, i) => {
      gradient.data.forEach((e, j) => expect(e, lazy.program.parameters[i]?.name).toBeCloseTo(tables[i]?.data[j] ?? NaN, 12));
    });
  });

  it('are lists of rows for the tables and for nothing else', () => {
    const built = keysProgram(keysConfig({ activation: 'glu' }), tokens, d);
    const { program, gradients } = differentiate(built.program);
    const byRows = program.parameters.filter((_, i) => gradients[i]?.kind === 'rows').map(({ name }) => name);
    expect(byRows).toEqual(['down', 'gate', 'up']);
    const tableSized = program.nodes.flatMap(({ outputs }) => outputs).filter((id) => program.values[id]?.shape[0] === 64);
    // What has as many rows as there are experts is a table, and none is computed.
    expect(tableSized).toEqual([]);
  });
});

describe('a model with product keys', () => {
  const modelWith = (keys: Record<string, unknown>, rest: Record<string, unknown> = {}) =>
    buildLanguageModel(tinyExperiment({ product_keys: { experts: 16, heads: 2, top_k: 2, key_width: 4, ...keys }, ...rest }));

  it('has them in place of the feed-forward of the middle layer, or of the layers it lists', () => {
    const layersOf = (program: ReturnType<typeof modelWith>): string[] => program.retrievals.map(({ name }) => name);
    expect(layersOf(modelWith({}, { layers: 12 }))).toEqual(['layers.5.product_keys']);
    expect(layersOf(modelWith({}, { layers: 3 }))).toEqual(['layers.1.product_keys']);
    const listed = modelWith({ layers: [0, 2] }, { layers: 3 });
    expect(layersOf(listed)).toEqual(['layers.0.product_keys', 'layers.2.product_keys']);
    const feedForwards = listed.parameters.filter(({ role }) => role === 'ffn').map(({ name }) => name.split('.').slice(0, 3).join('.'));
    expect(new Set(feedForwards)).toEqual(new Set(['layers.1.ffn']));
    expect(listed.retrievals[0]).toMatchObject({ experts: 16, k: 4 });
  });

  it('lets its tables be updated at a rate of their own, and decays them', () => {
    const program = modelWith({ learning_rate_scale: 3, optimizer: 'dense' });
    expect(program.optimiser.groups).toMatchObject({ decayed: { rateScale: 1 }, tables: { rateScale: 3, weightDecay: 0.1 } });
    const tables = program.parameters.filter(({ group }) => group === 'tables');
    expect(tables.map(({ name, shape, gradient, role }) => [name, shape, gradient, role])).toEqual([
      ['layers.0.product_keys.down', [16, 12], 'dense', 'experts'],
      ['layers.0.product_keys.up', [16, 12], 'dense', 'experts'],
    ]);
    expect(Object.keys(buildLanguageModel(tinyExperiment()).optimiser.groups)).toEqual(['decayed', 'undecayed']);
  });

  it('draws sub-keys for normalised queries, whatever initial_std says', () => {
    const deviation = (program: ReturnType<typeof modelWith>, suffix: string): number | undefined => {
      const initialiser = program.parameters.find(({ name }) => name.endsWith(suffix))?.initialiser;
      return initialiser?.kind === 'normal' ? initialiser.standardDeviation : undefined;
    };
    const wide = modelWith({}, { initial_std: 0.1 });
    expect(deviation(wide, 'first_keys')).toBeCloseTo(1 / Math.sqrt(2), 12);
    expect(deviation(wide, 'router.query')).toBeCloseTo(0.1, 12);
    expect(deviation(wide, '.down')).toBeCloseTo(0.1, 12);
    expect(deviation(wide, '.up')).toBeCloseTo(0.1 / 2, 12);
    const byInputs = modelWith({}, { initialization: 'fan_in' });
    expect(deviation(byInputs, 'second_keys')).toBeCloseTo(Math.sqrt(2 / (2 * 2)), 12);
    expect(deviation(byInputs, '.down')).toBeCloseTo(Math.sqrt(2 / (2 * 12)), 12);
    expect(deviation(byInputs, '.up')).toBeCloseTo(Math.sqrt(2 / (2 * 4)), 12);
  });

  it('is by default what 2407.04153 has', () => {
    const keys = productKeysSchema.parse({ experts: 1_048_576, heads: 8, top_k: 16 });
    expect(keys).toMatchObject({ kind: 'peer', query_norm: 'batch', score: 'softmax', key_width: 128 });
  });
});
