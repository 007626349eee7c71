import { describe, expect, it } from 'vitest';
import type { ConfigFinding, ConfigFix } from '../../../src/config/configFile';
import { applyEdits } from '../../../src/config/edit/keyEdits';
import { fixesOf } from '../../../src/config/fixes';
import { isMapping } from '../../../src/config/mapping';
import { rules } from '../../../src/config/semanticRules';
import { load, valid } from '../memoryFiles';
import { cases } from './allCases';
import type { Changes } from './changes';
import { changed } from './changes';

/** Rules for which no change is the sensible one: what to do depends on what was meant. */
const withoutRemedy = ['product-keys-bitnet', 'masked-context-1'];

const count = (findings: readonly ConfigFinding[], code: string): number => findings.filter((finding) => finding.code === code).length;
const errors = (findings: readonly ConfigFinding[]): string[] =>
  findings.filter(({ severity }) => severity === 'error').map(({ code }) => code);

/** One of its findings is gone, and no error is new. */
function expectMended(text: string, finding: ConfigFinding, fix: ConfigFix): void {
  const { findings: before } = load(text);
  const { findings: after } = load(applyEdits(text, fix.edits));
  expect(count(after, finding.code), fix.title).toBeLessThan(count(before, finding.code));
  // Behind a mistake in its YAML nothing else of a text is seen.
  const known = finding.code === 'yaml-syntax' ? errors(after).filter((code) => code !== finding.code) : errors(before);
  expect(
    errors(after).filter((code) => !known.includes(code)),
    fix.title,
  ).toEqual([]);
}

describe('what mends a finding', () => {
  it.each(cases)('$of: $changes', ({ of, changes }) => {
    const text = changed(changes);
    const findings = load(text).findings.filter(({ code }) => code === of);
    for (const finding of findings) {
      const fixes = fixesOf(finding, text);
      // Nothing is offered that cannot be done.
      expect(fixes.map(({ title }) => title)).toEqual((finding.remedies ?? []).map(({ title }) => title));
      for (const fix of fixes) expectMended(text, finding, fix);
      // Of two sensible remedies neither is sure.
      if (fixes.some((fix) => fix.sure)) expect(fixes).toHaveLength(1);
    }
  });

  it('is known for nearly every rule', () => {
    const mended = new Set(
      cases.flatMap(({ changes }) =>
        load(changed(changes)).findings.flatMap(({ code, remedies = [] }) => (remedies.length > 0 ? [code] : [])),
      ),
    );
    const without = rules.map(({ code }) => code).filter((code) => !mended.has(code));
    expect(without.filter((code) => code !== 'frozen-temperature')).toEqual(withoutRemedy);
  });
});

/** Both at once; of sections that both state, the keys of both. */
function together(one: Changes, other: Changes): Changes {
  const merged: Record<string, unknown> = { ...one };
  for (const [path, value] of Object.entries(other)) {
    const stated = merged[path];
    merged[path] = isMapping(value) && isMapping(stated) ? { ...stated, ...value } : value;
  }
  return merged;
}

it('of two mistakes at once each is mended without another error', () => {
  let tried = 0;
  // Every 211th of the pairs: enough for each rule to meet some others.
  for (let pair = 0; pair < cases.length ** 2; pair += 211) {
    const [one, other] = [cases[Math.floor(pair / cases.length)], cases[pair % cases.length]];
    if (!one || !other || one === other) continue;
    const text = changed(together(one.changes, other.changes));
    // Causes of what is not causal are told one at a time.
    const findings = load(text).findings.filter(({ code }) => !['missing-key', 'invalid-value', 'not-causal'].includes(code));
    for (const finding of findings)
      for (const fix of fixesOf(finding, text)) {
        expectMended(text, finding, fix);
        tried += 1;
      }
  }
  expect(tried).toBeGreaterThan(150);
});

const edited = (piece: string, replacement: string): string => {
  expect(valid).toContain(piece);
  return valid.replace(piece, () => replacement);
};

describe('what mends a text, a key or a value', () => {
  it.each<[string, string, readonly string[]]>([
    ['a tab', edited('  layers: 4', '\tlayers: 4'), ['yaml-syntax! Replace tabs by 2 spaces']],
    ['a bracket left open', edited('[corpus/*.txt], validation: { prose: [valid/*.txt] } }', '{ a: 1 }\nx: [1, 2'), []],
    ['a list left open at the end of a line', 'model:\n  layers: [1, 2 # two\n', ['yaml-syntax Add ]']],
    ['a quote left open', edited('name: MH-MoE (head=2)', 'name: "MH-MoE'), ['yaml-syntax Add "']],
    [
      'a key twice',
      edited('  layers: 4\n', '  layers: 4\n  layers: 6\n'),
      ['duplicate-key Remove the second of the two', 'duplicate-key Remove the first of the two'],
    ],
    [
      'a key twice, with one value',
      edited('  layers: 4\n', '  layers: 4\n  layers: 4 # again\n'),
      ['duplicate-key! Remove the second of the two'],
    ],
    [
      'a key twice in a line',
      edited('heads: 4, position', 'heads: 4, heads: 8, position'),
      ['duplicate-key Remove the second of the two', 'duplicate-key Remove the first of the two'],
    ],
    [
      'a section twice',
      `${valid}evaluate:\n  every: 10\n`,
      ['duplicate-key Remove the second of the two', 'duplicate-key Remove the first of the two'],
    ],
    ['a slip of the pen', edited('top_k', 'topk'), ['unknown-key! Rename topk to top_k']],
    ['a key in the wrong place', edited('  layers: 4', '  layers: 4\n  shared_width: 2'), ['unknown-key! Move it to moe.shared_width']],
    [
      'a key where it was',
      edited('    top_k: 2', '    top_k: 2\n    renormalize: true'),
      ['unknown-key! Move it to moe.router.renormalize'],
    ],
    ['a slip of the pen beside the key', edited('    top_k: 2', '    top_k: 2\n    topk: 3'), ['unknown-key Remove moe.topk']],
    [
      'a key of two places',
      edited('  layers: 4', '  layers: 4\n  norm: layer\n  score: sigmoid'),
      ['unknown-key Move it to moe.router.score', 'unknown-key Remove score'],
    ],
    ['a key unlike any', edited('  layers: 4', '  layers: 4\n  colour: blue'), ['unknown-key Remove colour']],
    ['missing', edited('  d_model: 256\n', ''), ['missing-key Add model.d_model']],
    ['missing inside', edited('{ heads: 4, position: rope }', '{ position: rope }'), ['missing-key Add model.attention.heads']],
    ['nothing but a name', 'name: nothing else\n', ['missing-key Add model']],
    ['nothing', '', ['empty-config Begin with a small dense model']],
    ['only a comment', '# to do\n', ['empty-config Begin with a small dense model']],
    ['without a value', edited('  layers: 4', '  layers:'), ['invalid-value Set layers to 4']],
    ['a text for a number', edited('d_model: 256', "d_model: '256'"), ['invalid-value! Set d_model to 256']],
    ['words for a number', edited('d_model: 256', 'd_model: wide'), ['invalid-value Set d_model to 512']],
    ['half a layer', edited('layers: 4', 'layers: 4.5'), ['invalid-value Set layers to 5']],
    ['too many layers', edited('layers: 4', 'layers: 1000000'), ['invalid-value Set layers to 256']],
    [
      'a word that is no choice',
      edited('mh-moe', 'mhmoe'),
      ['invalid-value! Set moe.kind to mh-moe', 'invalid-value Set moe.kind to smoe'],
    ],
    ['a number for a mapping', edited('{ heads: 4, position: rope }', '4'), ['invalid-value Set attention to {heads:4}']],
    ['a text for a list', edited('[corpus/*.txt]', 'corpus/*.txt'), ['invalid-value! Set data.train to [corpus/*.txt]']],
    ['an empty list', edited('[corpus/*.txt]', '[]'), ['invalid-value Set data.train to [corpus/*.txt]']],
    [
      'three betas',
      edited('[0.9, 0.95]', '[0.9, 0.95, 0.99]'),
      ['invalid-value Set train.betas to [0.9, 0.95]', 'invalid-value Remove train.betas'],
    ],
    ['a beta of 1', edited('[0.9, 0.95]', '[0.9, 1]'), ['invalid-value Set train.betas to [0.9, 0.95]']],
    ['infinity', edited('learning_rate: 1.0e-3', 'learning_rate: .inf'), ['invalid-value Remove train.learning_rate']],
    ['a set without a name', edited('prose:', '"":'), ['invalid-value Name it text']],
    ['a word in a list of layers', edited('every: 2', 'layers: [1, two]'), ['invalid-value Set moe.layers to [1]']],
    ['a word of YAML 1.1', edited('heads: 2', 'heads: 2\n    head_layer: yes'), ['invalid-value! Set moe.head_layer to true']],
    ['a number for a name', edited('MH-MoE (head=2)', '42'), ['invalid-value! Set name to 42']],
    ['a baseline missing', `parity: smoe.moe.yaml\n${valid}`, ['parity-missing Remove parity']],
    ['a base missing', `extends: base.moe.yaml\n${valid}`, ['extends-missing Remove extends']],
  ])('%s', (_, text, titles) => {
    const { findings } = load(text);
    const fixes = findings.flatMap((finding) => fixesOf(finding, text).map((fix) => ({ finding, fix })));
    expect(fixes.map(({ finding, fix }) => `${finding.code}${fix.sure ? '!' : ''} ${fix.title}`)).toEqual(titles);
    for (const { finding, fix } of fixes) expectMended(text, finding, fix);
  });
});
