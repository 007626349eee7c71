import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { experimentJsonSchema } from '../../src/config/jsonSchema';
import type { JsonSchema } from '../../src/config/jsonSchema';
import { experimentSchema } from '../../src/config/schema';
import { semanticFindings } from '../../src/config/semanticRules';
import { load, shown, valid } from './memoryFiles';

/** Every number of the schema with its dotted path, those of lists too. */
function numbers(schema: JsonSchema, path: string): readonly (readonly [string, JsonSchema])[] {
  if (schema.type === 'number' || schema.type === 'integer') return [[path, schema]];
  const items: readonly JsonSchema[] = [schema.items ?? []].flat();
  return [...Object.entries(schema.properties ?? {}), ...items.entries()].flatMap(([key, inner]) =>
    numbers(inner, path === '' ? String(key) : `${path}.${key}`),
  );
}

const all = numbers(experimentJsonSchema(), '');

describe('bounds', () => {
  it('are there, on both sides, for every number but the seed, and their defaults lie within', () => {
    expect(all.length).toBeGreaterThan(40);
    const open = all.filter(([, { minimum, exclusiveMinimum, maximum, exclusiveMaximum }]) => {
      const [lower, upper] = [minimum ?? exclusiveMinimum, maximum ?? exclusiveMaximum];
      return lower === undefined || upper === undefined;
    });
    expect(open.map(([path]) => path)).toEqual(['train.seed']);
  });

  it.each(all.filter(([path]) => path !== 'train.seed'))('of $0 are finite in float32 where they are factors', (_, { maximum }) => {
    expect(Math.fround(maximum ?? 1)).toBeLessThan(Infinity);
  });

  const refused = (text: string): string[] =>
    load(text)
      .findings.filter(({ severity }) => severity === 'error')
      .map((finding) => shown(finding, { 'a.moe.yaml': text }).replace(/^\S+ \d+:\d+ /, ''));
  const routed = (options: string): string => valid.replace('    heads: 2', `    heads: 2\n    router: { ${options} }`);

  it.each([
    [
      routed('type: cosine, temperature: 1.0e-39'),
      '[1.0e-39] error invalid-value: `model.moe.router.temperature` is 1e-39; it must be a number of at least 0.001 and at most 1,000.',
    ],
    [
      routed('type: cosine, temperature: 1.0e-320'),
      '[1.0e-320] error invalid-value: `model.moe.router.temperature` is 1e-320; it must be a number of at least 0.001 and at most 1,000.',
    ],
    [
      routed('z_loss_weight: 1.0e30'),
      '[1.0e30] error invalid-value: `model.moe.router.z_loss_weight` is 1e+30; it must be a number of at least 0 and at most 1,000.',
    ],
    [
      routed('balance_weight: 1001'),
      '[1001] error invalid-value: `model.moe.router.balance_weight` is 1001; it must be a number of at least 0 and at most 1,000.',
    ],
    [
      routed('select: top_k_biased, balance: loss_free, bias_rate: 2'),
      '[2] error invalid-value: `model.moe.router.bias_rate` is 2; it must be a number above 0 and at most 1.',
    ],
    [
      valid.replace('experts: 40', 'experts: 5000000000'),
      '[5000000000] error invalid-value: `model.moe.experts` is 5000000000; it must be a whole number of at least 1 and at most 1,048,576.',
    ],
    [
      valid.replace('epsilon: 1.0e-8', 'epsilon: 1.0e-46'),
      '[1.0e-46] error invalid-value: `train.epsilon` is 1e-46; it must be a number of at least 1e-20 and at most 1.',
    ],
    [
      valid.replace('engine: { device: cpu }', 'engine: { threads: 100000 }'),
      '[100000] error invalid-value: `engine.threads` is 100000; it must be a whole number of at least 0 and at most 1,024.',
    ],
    [
      valid.replace('every: 2', `layers: [${Array.from({ length: 257 }, () => 1).join(', ')}]`),
      expect.stringContaining(
        '`model.moe.layers` is a list of 257; it must be a list of whole numbers of at least 0 and at most 255, at least 1 and at most 256.',
      ) as string,
    ],
  ])('%#', (text, says) => {
    expect(refused(text)).toEqual([says]);
  });

  it('a number of experts far above any width is refused before iso-MAC asks for a divisor, and would be no burden there', () => {
    const text = valid
      .replace('d_model: 256', 'd_model: 264')
      .replace('    heads: 2', '    heads: 2\n    head_layer: false\n    ablation: iso_mac')
      .replace('top_k: 2', 'top_k: 5');
    expect(refused(text.replace('experts: 40', 'experts: 5000000000'))).toEqual([
      expect.stringContaining('`model.moe.experts` is 5000000000;'),
    ]);
    const { model, ...rest } = experimentSchema.parse(parse(text));
    if (!model.moe) throw new Error('The config has experts.');
    const experiment = { ...rest, model: { ...model, moe: { ...model.moe, experts: 5e9 } } };
    const ofWidth = semanticFindings(experiment, parse(text)).filter(({ code }) => code === 'iso-mac-width');
    expect(ofWidth.map(({ message }) => message)).toEqual([
      '`ablation: iso_mac` would widen each expert by 1 d_model / (3 top_k) = 264 / 15, which is no whole number; use a `top_k` of 4, or a `d_model` that 15 divides, or `ablation: remove_only`.',
    ]);
  });
});
