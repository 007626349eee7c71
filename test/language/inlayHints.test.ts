import { describe, expect, it } from 'vitest';
import { presets } from '../../src/config/presets/catalogue';
import { parityLens } from '../../src/extension/language/lensTexts';
import { AnalysisStore } from '../../src/language/analysisStore';
import { hoverAt } from '../../src/language/hover';
import { inlayHints } from '../../src/language/inlayHints';
import { analysisOf, hintedTexts, textOfPreset } from './hintedConfigs';

/** The text with its hints where an editor draws them. */
function drawn(texts: Readonly<Record<string, string>>, name: string): string {
  const lines = (texts[name] ?? '').split(/\r\n|\n|\r/);
  for (const { position, text } of inlayHints(analysisOf(texts, name)).toReversed()) {
    const line = lines[position.line] ?? '';
    lines[position.line] = `${line.slice(0, position.character)}⟦${text}⟧${line.slice(position.character)}`;
  }
  return lines.join('\n');
}

describe('inlay hints', () => {
  it.each(Object.keys(hintedTexts))('of %s', async (name) => {
    await expect(drawn(hintedTexts, name)).toMatchFileSnapshot(`golden/hints/${name.replace('.moe.yaml', '.txt')}`);
  });

  it('say how far the published MH-MoE is from its SMoE, in the layers that differ, at a size of its own', () => {
    const texts = {
      ...hintedTexts,
      'three.moe.yaml': (hintedTexts['mh-moe.moe.yaml'] ?? '')
        .replace('heads: 2', 'heads: 3')
        .replace('experts: 40', 'experts: 96')
        .replace('top_k: 2', 'top_k: 3')
        .replace('expert_width: 768', 'expert_width: 512'),
    };
    const parityOf = (name: string) => inlayHints(analysisOf(texts, name)).find(({ text }) => text.includes(' vs '));
    expect(parityOf('mh-moe.moe.yaml')?.text).toBe('+0.52 % MACs, −3.10 % parameters vs smoe.moe.yaml');
    expect(parityOf('three.moe.yaml')?.text).toBe('+1.43 % MACs, +3.17 % parameters vs smoe.moe.yaml');
    expect(parityOf('mh-moe.moe.yaml')?.tooltip).toContain('| Layers that differ | +0.52 % | 0.00 % | −3.10 % | −3.13 % |');
    expect(parityOf('mh-moe.moe.yaml')?.tooltip).toMatch(/\| Whole model \|/);
  });

  it('build no program, nor do hovers and lenses: one stands for each changed config, none for an unchanged baseline', () => {
    const texts: Record<string, string> = { ...hintedTexts };
    const readText = (file: string): string | undefined => texts[file.replace('/lab/', '')];
    const store = new AnalysisStore({ readText, environment: () => ({ severities: {}, memory: null }) });
    const built: number[] = [];
    for (const experts of [40, 41, 42]) {
      texts['mh-moe.moe.yaml'] = (hintedTexts['mh-moe.moe.yaml'] ?? '').replace('experts: 40', `experts: ${experts}`);
      store.outdate('/lab/mh-moe.moe.yaml');
      const analysis = store.get('/lab/mh-moe.moe.yaml');
      expect(inlayHints(analysis).length).toBeGreaterThan(0);
      expect(hoverAt(analysis, { line: 7, character: 6 }, 'alone')?.markdown).toContain('|---');
      expect(parityLens(analysis)?.title).toContain('vs smoe.moe.yaml');
      built.push(store.counters.programsBuilt);
    }
    expect(built).toEqual([2, 3, 4]);
  });

  it('stand behind values also where lines end in CRLF and behind a byte order mark', () => {
    const texts = Object.fromEntries(Object.entries(hintedTexts).map(([name, text]) => [name, `\uFEFF${text.replaceAll('\n', '\r\n')}`]));
    expect(drawn(texts, 'mh-moe.moe.yaml')).toBe(`\uFEFF${drawn(hintedTexts, 'mh-moe.moe.yaml')}`);
  });

  it('are behind values of every preset', () => {
    for (const { id } of presets) {
      const texts = { 'preset.moe.yaml': textOfPreset(id) };
      const lines = (texts['preset.moe.yaml'] ?? '').split('\n');
      const hints = inlayHints(analysisOf(texts, 'preset.moe.yaml'));
      expect(hints.length, id).toBeGreaterThan(0);
      for (const { position, text, tooltip } of hints) {
        expect(lines[position.line]?.slice(0, position.character), id).toMatch(/: ["'\]\w.-]+$|\]$/);
        expect(`${text} ${tooltip}`, id).not.toMatch(/NaN|undefined|Infinity/);
      }
    }
  });
});
