import { describe, expect, it } from 'vitest';
import { hoverAt } from '../../src/language/hover';
import { analysisOf, hintedTexts } from './hintedConfigs';

/** The hover over the first place of `text` in a config. */
function over(name: string, text: string, beside: 'alone' | 'yaml' = 'alone', texts = hintedTexts) {
  const content = texts[name] ?? '';
  const offset = content.indexOf(text);
  expect(offset).toBeGreaterThanOrEqual(0);
  const before = content.slice(0, offset).split('\n');
  const position = { line: before.length - 1, character: (before.at(-1) ?? '').length + 1 };
  const hover = hoverAt(analysisOf(texts, name), position, beside);
  const line = content.split('\n')[position.line] ?? '';
  return hover && { markdown: hover.markdown, under: line.slice(hover.range.start.character, hover.range.end.character) };
}

const cases = [
  ['mh-moe.moe.yaml', 'heads'],
  ['mh-moe.moe.yaml', 'experts'],
  ['mh-moe.moe.yaml', 'expert_width'],
  ['mh-moe.moe.yaml', 'kind'],
  ['mh-moe.moe.yaml', 'learning_rate'],
  ['mh-moe.moe.yaml', 'parity'],
  ['smoe.moe.yaml', 'd_model'],
  ['smoe.moe.yaml', 'width'],
  ['peer.moe.yaml', 'experts'],
  ['switch-head.moe.yaml', 'head_width'],
] as const;

describe('hovers', () => {
  it.each(cases)('in %s over %s', async (name, key) => {
    const file = `golden/hovers/${name.replace('.moe.yaml', '')}-${key}.md`;
    const hover = over(name, key);
    await expect(`${hover?.markdown ?? ''}\n`).toMatchFileSnapshot(file);
    expect(hover?.under.replaceAll(/['"]/g, '')).toBe(key);
    // Beside the YAML extension what its schema says is left out, and nothing else.
    const beside = over(name, key, 'yaml');
    if (beside !== undefined) expect(hover?.markdown).toContain(`\n\n${beside.markdown}`);
    expect(beside?.markdown ?? '').not.toMatch(/; required|; default|Source:/);
  });

  it('hold for the value of a key on the same line as well', () => {
    expect(over('mh-moe.moe.yaml', '768')).toEqual({ ...over('mh-moe.moe.yaml', 'expert_width'), under: 'expert_width: 768' });
  });

  it('show what is lost without a head, and what the paper has beside the nearest exact one', () => {
    const table = over('mh-moe.moe.yaml', 'experts')?.markdown ?? '';
    expect(table).toContain('| **40** | 291.3 M');
    expect(table).toMatch(/\| 41 \| .* \| −0\.76 % \| \+0\.54 % \|/);
    expect(over('mh-moe.moe.yaml', 'heads')?.markdown).toMatch(/\n\| 1 \|.*\n\| \*\*2\*\* \|.*\n\| 3 \|.*\n\| 4 \|/);
  });

  it('offer only values with which the config is valid', () => {
    const one = { 'a.moe.yaml': (hintedTexts['smoe.moe.yaml'] ?? '').replace('experts: 8, top_k: 1', 'experts: 2, top_k: 2') };
    expect(over('a.moe.yaml', 'top_k', 'alone', one)?.markdown).toMatch(/\| 1 \|.*\n\| \*\*2\*\* \|[^\n]*\n\n\*Residuals/);
  });

  it('describe keys of a config with errors, without figures', () => {
    const hover = over('broken.moe.yaml', 'top_k');
    expect(hover?.markdown).toMatch(/^\*\*model\.moe\.top_k\*\*/);
    expect(hover?.markdown).not.toContain('|---');
    expect(over('broken.moe.yaml', 'top_k', 'yaml')).toBeUndefined();
  });

  it('say what a rule finds in `lint:`, and what a family costs and a swept key means in `sweep:`', () => {
    const texts = {
      ...hintedTexts,
      'family.moe.yaml': `extends: mh-moe.moe.yaml
parity: smoe.moe.yaml
lint: { ample-capacity: off }
sweep:
  model.moe.experts: [40, 41]
`,
      'listed.moe.yaml': `extends: mh-moe.moe.yaml
sweep:
  - { model.moe.experts: 40 }
  - { model.moe.experts: 41, model.moe.top_k: 1 }
`,
    };
    expect(over('family.moe.yaml', 'ample', 'alone', texts)).toMatchObject({
      under: 'ample-capacity',
      markdown: expect.stringMatching(/^\*\*ample-capacity\*\* \(warning\)\n\n`capacity_factor` .+\.$/),
    });
    // The published schema has it.
    expect(over('family.moe.yaml', 'ample', 'yaml', texts)).toBeUndefined();
    for (const beside of ['alone', 'yaml'] as const) {
      expect(over('family.moe.yaml', 'sweep', beside, texts)?.markdown).toMatch(/\| 2 \| `experts=41` \|.*−0\.76\s%/);
      expect(over('family.moe.yaml', 'model.moe.experts', beside, texts)?.markdown).toMatch(/^\*\*model\.moe\.experts\*\*/);
      expect(over('listed.moe.yaml', 'model.moe.top_k', beside, texts)?.markdown).toMatch(/^\*\*model\.moe\.top_k\*\*/);
    }
  });

  it('are silent between keys', () => {
    expect(over('mh-moe.moe.yaml', '# of a token')).toBeUndefined();
    expect(over('mh-moe.moe.yaml', '# two sub-tokens')).toBeUndefined();
  });
});
