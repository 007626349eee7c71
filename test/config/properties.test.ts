import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import type { LoadedConfig } from '../../src/config/configFile';
import { experimentSchema } from '../../src/config/schema';
import { load, valid } from './memoryFiles';

const size = fc.integer({ min: 1, max: 4096 });
const rate = fc.double({ min: 1e-9, max: 1, noNaN: true });
const names = fc.constantFrom('prose', 'code', 'tables', 'yes', '1', 'null', 'a: b', '\u{1F9EA}', '#');
const files = fc.array(fc.constantFrom('corpus/*.txt', './a b.txt', '../x/**/*.md', '{a,b}.txt', '@x', '- y'), {
  minLength: 1,
  maxLength: 3,
});
const optional = { requiredKeys: [] as [] };

/** Configs that break no rule across keys: widths are multiples of the heads, batches of the microbatches. */
const validConfig = fc
  .record({
    heads: fc.integer({ min: 1, max: 16 }),
    moeHeads: fc.integer({ min: 2, max: 6 }),
    experts: fc.integer({ min: 2, max: 64 }),
    microBatch: fc.integer({ min: 1, max: 16 }),
    context: fc.integer({ min: 1, max: 2048 }),
    layers: fc.integer({ min: 1, max: 12 }),
    more: fc.integer({ min: 1, max: 8 }),
    steps: fc.integer({ min: 2, max: 1e6 }),
    kind: fc.constantFrom('none', 'smoe', 'mh-moe'),
    extras: fc.record(
      {
        rope_base: fc.double({ min: 1, max: 1e9, noNaN: true }),
        vocabulary: fc.integer({ min: 256, max: 64000 }),
        router: fc.record({ balance_weight: rate, z_loss_weight: rate }, optional),
        shared_width: size,
      },
      optional,
    ),
    train: fc.option(
      fc.record(
        {
          clip: rate,
          seed: fc.nat(),
          schedule: fc.constantFrom('cosine', 'linear', 'constant'),
          betas: fc.tuple(
            rate.map((x) => x / 2),
            fc.constant(0.95),
          ),
        },
        optional,
      ),
      { nil: undefined },
    ),
    data: fc.option(fc.record({ train: files, validation: fc.dictionary(names, files, { maxKeys: 3 }) }), { nil: undefined }),
    rest: fc.record(
      {
        name: names,
        evaluate: fc.record({ every: size }, optional),
        checkpoint: fc.record({ keep: size, every: size }, optional),
        engine: fc.record({ device: fc.constantFrom('cpu', 'webgpu'), threads: fc.nat(64) }, optional),
      },
      optional,
    ),
  })
  .map(({ heads, moeHeads, experts, microBatch, context, layers, more, steps, kind, extras, train, data, rest }) => {
    const { rope_base, vocabulary, ...moeExtras } = extras;
    const given = <T>(key: string, value: T | undefined): Record<string, T> => (value === undefined ? {} : { [key]: value });
    return {
      ...rest,
      model: {
        ...given('vocabulary', vocabulary),
        d_model: 2 * heads * moeHeads * more,
        layers,
        context,
        attention: { heads, ...given('rope_base', rope_base) },
        ffn: { width: 16 * more },
        ...(kind === 'none'
          ? {}
          : {
              moe: {
                kind,
                every: layers,
                experts,
                top_k: Math.ceil(experts / 2),
                expert_width: 8 * more,
                ...moeExtras,
                ...(kind === 'mh-moe' ? { heads: moeHeads } : {}),
              },
            }),
      },
      ...given(
        'train',
        train && { ...train, steps, batch_tokens: microBatch * context * more, micro_batch: microBatch, warmup: steps - 1 },
      ),
      ...given('data', data),
    };
  });

/** Everything stated, by its path; a list is one value. */
function leaves(value: unknown, path = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, value]];
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, `${path}/${key}`));
}

function expectRangesInside(config: LoadedConfig, texts: Readonly<Record<string, string>>): void {
  for (const { file, range, message } of config.findings) {
    const lines = (texts[file.slice('/lab/'.length)] ?? '').split(/\r\n|\n|\r/);
    for (const { line, character } of [range.start, range.end]) {
      expect(line).toBeLessThan(lines.length);
      expect(character).toBeLessThanOrEqual(lines[line]?.length ?? -1);
      expect(Math.min(line, character)).toBeGreaterThanOrEqual(0);
    }
    const ends = [range.start, range.end].map(({ line, character }) => line * 1e6 + character);
    expect(ends[0]).toBeLessThanOrEqual(ends[1] ?? -1);
    expect(message).toMatch(/[.?]$/);
    expect(message).not.toMatch(/undefined|\[object|Invalid input|\bexpected\b/);
  }
}

describe('a valid config', () => {
  it('written as YAML in any style is read as the same experiment, without findings', () => {
    fc.assert(
      fc.property(validConfig, fc.constantFrom('BLOCK', 'FLOW'), fc.constantFrom('PLAIN', 'QUOTE_DOUBLE'), (config, style, strings) => {
        const text = stringify(config, { collectionStyle: style === 'FLOW' ? 'flow' : 'block', defaultStringType: strings });
        const { experiment, findings } = load(text);
        expect(findings).toEqual([]);
        expect(experiment).toEqual(experimentSchema.parse(config));
      }),
      { numRuns: 200 },
    );
  });

  it('split between a base and a variant holds what either states', () => {
    let split = 0;
    fc.assert(
      fc.property(validConfig, validConfig, (base, variant) => {
        const texts = { 'base.moe.yaml': stringify(base), 'a.moe.yaml': stringify({ ...variant, extends: 'base.moe.yaml' }) };
        const config = load(texts);
        expectRangesInside(config, texts);
        if (!config.experiment) return;
        // What the variant states holds; what only the base states holds too.
        const stated = new Map([...leaves(base).filter(([path]) => path !== '/name'), ...leaves(variant)]);
        const held = new Map(leaves(config.experiment));
        for (const [path, value] of stated) expect([path, held.get(path)]).toEqual([path, value]);
        split += 1;
      }),
      { numRuns: 100 },
    );
    // Two valid configs need not make a valid one, but often do.
    expect(split).toBeGreaterThan(10);
  });

  it('has a key range for every key it states', () => {
    fc.assert(
      fc.property(validConfig, (config) => {
        const text = stringify(config);
        const loaded = load(text);
        const lines = text.split('\n');
        for (const key of Object.keys(config.model)) {
          const range = loaded.rangeOf(['model', key]);
          expect(lines[range?.start.line ?? -1]?.slice(range?.start.character, range?.end.character)).toBe(key);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('any text', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '\n',
      '\r\n',
      '\t',
      ' ',
      ': ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      '"',
      "'",
      '&a ',
      '*a',
      '!x ',
      '|\n',
      '>\n',
      '#',
      '? ',
      '---\n',
      '%YAML 1.2\n',
      '~',
      '.nan',
      '-1',
      '\uFEFF',
      '\u{1F9EA}',
      '\uD800',
      '\0',
      '<<: *a\n',
      'extends: a.moe.yaml\n',
      '__proto__: 1\n',
    ),
    fc.string({ maxLength: 8 }),
  );
  const edit = fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), remove: fc.integer({ min: 0, max: 12 }), insert: piece });

  it('made from a valid one by edits loads without throwing, with every finding inside the text', () => {
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), (edits) => {
        const text = edits.reduce((current, { at, remove, insert }) => {
          const offset = Math.floor(at * current.length);
          return current.slice(0, offset) + insert + current.slice(offset + remove);
        }, valid);
        const config = load(text);
        expectRangesInside(config, { 'a.moe.yaml': text });
        const wrong = config.findings.some((finding) => finding.severity === 'error');
        expect(config.experiment === undefined).toBe(wrong);
      }),
      { numRuns: 1000 },
    );
  });

  it('made of pieces of YAML does too', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const text = pieces.join('');
        expectRangesInside(load(text), { 'a.moe.yaml': text });
      }),
      { numRuns: 1000 },
    );
  });

  it('cut off anywhere, as while typing, does too', () => {
    for (let end = 0; end <= valid.length; end += 1) {
      const text = valid.slice(0, end);
      expectRangesInside(load(text), { 'a.moe.yaml': text });
    }
  });

  it('nested as deep as the parser bears, and deeper, is a finding', () => {
    for (const text of ['['.repeat(50_000), '{a: '.repeat(20_000), `a: ${'['.repeat(200)}${']'.repeat(200)}`]) {
      const config = load(text);
      expect(config.findings.map((finding) => finding.code)).toEqual(['yaml-syntax']);
      expectRangesInside(config, { 'a.moe.yaml': text });
    }
  });
});
