import { describe, expect, it } from 'vitest';
import { load, shown, valid } from './memoryFiles';

function findingsOf(texts: Record<string, string>): string[] {
  return load(texts).findings.map((finding) => shown(finding, texts));
}

describe('extends', () => {
  it('merges mappings, replaces lists, and the variant wins', () => {
    const { experiment, findings } = load({
      'base.moe.yaml': valid,
      'a.moe.yaml': 'extends: base.moe.yaml\nmodel: { moe: { heads: 4, top_k: 4 } }\ntrain: { betas: [0.8, 0.99] }\n',
    });
    expect(findings).toEqual([]);
    expect(experiment?.model.moe).toMatchObject({ kind: 'mh-moe', heads: 4, top_k: 4, experts: 40 });
    expect(experiment?.train).toMatchObject({ betas: [0.8, 0.99], steps: 2000 });
  });

  it('goes over several files, the nearest first', () => {
    const { experiment } = load({
      'base.moe.yaml': valid,
      'middle.moe.yaml': 'extends: base.moe.yaml\nmodel: { layers: 6, d_model: 512 }\n',
      'a.moe.yaml': 'extends: middle.moe.yaml\nmodel: { layers: 8 }\n',
    });
    expect(experiment?.model).toMatchObject({ layers: 8, d_model: 512, context: 256 });
  });

  it('inherits all but the name', () => {
    const { experiment } = load({ 'base.moe.yaml': valid, 'a.moe.yaml': 'extends: base.moe.yaml\n' });
    expect(experiment).toMatchObject({ extends: 'base.moe.yaml', data: { train: ['corpus/*.txt'] } });
    expect(experiment?.name).toBeUndefined();
  });

  it('an optional key without a value takes away what the base says', () => {
    const { experiment, findings } = load({ 'base.moe.yaml': valid, 'a.moe.yaml': 'extends: base.moe.yaml\nmodel: { moe: }\ntrain:\n' });
    expect(findings).toEqual([]);
    expect(experiment?.model.moe).toBeUndefined();
    expect(experiment?.train).toBeUndefined();
    expect(experiment?.model.d_model).toBe(256);
  });

  it('a key or a section without a value takes away what the base says, and leaves the default', () => {
    const router = '{ type: cosine, dimension: 8, temperature: 0.07, score: sigmoid }';
    const base = valid
      .replace('    heads: 2', `    heads: 2\n    router: ${router}`)
      .replace('vocabulary: 256', 'vocabulary: 257\n  objective: masked')
      .replace('train: {', 'train: { masking: { probability: 0.3 },');
    const variant = (text: string) => {
      const texts = { 'base.moe.yaml': base, 'a.moe.yaml': `extends: base.moe.yaml\n${text}` };
      expect(findingsOf(texts)).toEqual([]);
      return load(texts).experiment;
    };
    expect(variant('')?.model.moe?.router).toMatchObject({ type: 'cosine', dimension: 8, temperature: 0.07, score: 'sigmoid' });
    expect(variant('model: { moe: { router: } }\n')?.model.moe?.router).toEqual(load(valid).experiment?.model.moe?.router);
    const linear = variant('model: { moe: { router: { type: linear, dimension: , temperature: } } }\n');
    expect(linear?.model.moe?.router).toMatchObject({ type: 'linear', dimension: 16, temperature: 0.3, score: 'sigmoid' });
    expect(variant('')?.train?.masking.probability).toBe(0.3);
    expect(variant('train: { masking: }\n')?.train?.masking).toEqual({ probability: 0.15, mask_share: 0.8, random_share: 0.1 });
    expect(variant('train: { seed: 5, betas: , schedule: }\n')?.train).toMatchObject({ seed: 5, betas: [0.9, 0.95], schedule: 'cosine' });
    expect(variant('data: { validation: }\nengine:\nevaluate:\n')).toMatchObject({ data: { validation: {} }, evaluate: { every: 250 } });
  });

  it('what must be there cannot be taken away', () => {
    expect(findingsOf({ 'base.moe.yaml': valid, 'a.moe.yaml': 'extends: base.moe.yaml\nmodel: { d_model: }\n' })).toEqual([
      'a.moe.yaml 2:10 [d_model] error invalid-value: `model.d_model` is empty; it must be a whole number of at least 1 and at most 1,048,576.',
    ]);
  });

  it('keeps the paths of a base in another folder pointing where they pointed', () => {
    const { experiment } = load({
      'shared/base.moe.yaml': `parity: ../smoe.moe.yaml\n${valid}`,
      'smoe.moe.yaml': valid,
      'a.moe.yaml': 'extends: shared/base.moe.yaml\n',
    });
    expect(experiment?.parity).toBe('smoe.moe.yaml');
    expect(experiment?.data).toMatchObject({ train: ['shared/corpus/*.txt'], validation: { prose: ['shared/valid/*.txt'] } });
  });

  it('says at the key that a base is missing', () => {
    expect(findingsOf({ 'a.moe.yaml': 'name: x\nextends: nowhere.moe.yaml\n' })).toEqual([
      'a.moe.yaml 2:1 [extends] error extends-missing: There is no readable file nowhere.moe.yaml (looked for /lab/nowhere.moe.yaml); correct the path or create it.',
    ]);
  });

  it('says at the key that closes it that configs go round in a circle', () => {
    const texts = {
      'a.moe.yaml': 'extends: b.moe.yaml\n',
      'b.moe.yaml': 'extends: c.moe.yaml\n',
      'c.moe.yaml': '# c\nextends: b.moe.yaml\n',
    };
    expect(findingsOf(texts)).toEqual([
      'c.moe.yaml 2:1 [extends] error extends-cycle: `extends` goes round in a circle, b.moe.yaml -> c.moe.yaml -> b.moe.yaml; one of these must stand alone.',
    ]);
    expect(findingsOf({ 'a.moe.yaml': 'extends: a.moe.yaml\n' })).toMatchObject([expect.stringContaining('a.moe.yaml -> a.moe.yaml')]);
  });

  it('a finding inside the base belongs to the base', () => {
    const base = valid.replace('top_k: 2', 'top_k: two').replace('every: 2', 'evry: 2');
    expect(findingsOf({ 'base.moe.yaml': base, 'a.moe.yaml': 'extends: base.moe.yaml\nmodel: { layer: 3 }\n' })).toEqual([
      'a.moe.yaml 2:10 [layer] error unknown-key: Unknown key `model.layer`; did you mean `layers`?',
      'base.moe.yaml 11:5 [evry] error unknown-key: Unknown key `model.moe.evry`; did you mean `every`?',
      'base.moe.yaml 14:12 [two] error invalid-value: `model.moe.top_k` is the text "two"; it must be a whole number of at least 1 and at most 1,048,576.',
    ]);
    expect(findingsOf({ 'base.moe.yaml': 'model: [x\n', 'a.moe.yaml': 'extends: base.moe.yaml\n' })).toMatchObject([
      expect.stringMatching(/^base\.moe\.yaml .* error yaml-syntax: /),
    ]);
  });

  it("what the variant breaks together with its base is the variant's finding", () => {
    expect(findingsOf({ 'base.moe.yaml': valid, 'a.moe.yaml': 'extends: base.moe.yaml\nmodel:\n  d_model: 250\n' })).toMatchObject([
      expect.stringMatching(/^a\.moe\.yaml 3:12 \[250\] error attention-heads: /),
    ]);
  });

  it('a value of the base that the variant replaces is not judged', () => {
    const base = valid.replace('top_k: 2', 'top_k: two');
    expect(findingsOf({ 'base.moe.yaml': base, 'a.moe.yaml': 'extends: base.moe.yaml\nmodel: { moe: { top_k: 3 } }\n' })).toEqual([]);
  });
});

describe('rangeOf', () => {
  it('is the key in this file, not in the base', () => {
    const config = load({ 'base.moe.yaml': valid, 'a.moe.yaml': 'extends: base.moe.yaml\nmodel:\n  moe: { heads: 4 }\n' });
    expect(config.rangeOf(['model'])).toEqual({ start: { line: 1, character: 0 }, end: { line: 1, character: 5 } });
    expect(config.rangeOf(['model', 'moe', 'heads'])).toEqual({ start: { line: 2, character: 9 }, end: { line: 2, character: 14 } });
    expect(config.rangeOf(['model', 'd_model'])).toBeUndefined();
  });

  it('counts characters as editors do, in UTF-16 units, with CRLF and LF', () => {
    const text = 'name: "\u{1F9EA}\u{1F9EA}" \r\nmodel: { "d_model": 4, layers: x }\n';
    const config = load(text);
    expect(config.rangeOf(['model', 'layers'])?.start).toEqual({ line: 1, character: 23 });
  });

  it('points below an alias at the alias', () => {
    const text = `${valid.replace('data: {', 'data: &texts {')}`.replace(
      'validation: { prose: [valid/*.txt] }',
      'validation: { a: &v [x.txt], b: *v }',
    );
    const config = load(text);
    expect(config.experiment?.data?.validation).toEqual({ a: ['x.txt'], b: ['x.txt'] });
    const alias = text.split('\n')[17]?.indexOf('*v') ?? -1;
    expect(config.rangeOf(['data', 'validation', 'b', 0])?.start).toEqual({ line: 17, character: alias });
  });
});

describe('aliases', () => {
  it('that multiply are refused, quickly and with one finding', () => {
    const levels = Array.from({ length: 12 }, (_, level) => `l${level + 1}: &l${level + 1} [${Array(10).fill(`*l${level}`).join(', ')}]`);
    const { experiment, findings } = load(['l0: &l0 [x]', ...levels].join('\n'));
    expect(experiment).toBeUndefined();
    expect(findings).toHaveLength(1);
    expect(findings[0]?.message).toContain('use fewer aliases');
  });
});
