import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEdits } from '../../src/config/edit/keyEdits';
import { presetOf } from '../../src/config/presets/catalogue';
import { presetText } from '../../src/config/presets/presetText';
import { AnalysisStore } from '../../src/language/analysisStore';
import type { ConfigAnalysis } from '../../src/language/analysis';
import { fixesFor } from '../../src/language/codeFixes';

const own = '/w/own.moe.yaml';

function analysed(text: string, base: string): ConfigAnalysis {
  const readText = (file: string) => (file === own ? text : file === '/w/base.moe.yaml' ? base : undefined);
  return new AnalysisStore({ readText, environment: () => ({ severities: {}, memory: null }) }).get(own);
}

interface Mended {
  readonly title: string;
  /** The text with it, and what is then said of costs, `warning macs-off-parity`. */
  readonly text: string;
  readonly left: readonly string[];
}

/** Whatever is offered for a finding, with what it leaves. */
function fixes(code: string, text: string, base: string): readonly Mended[] {
  const analysis = analysed(text, base);
  const finding = analysis.findings.find((found) => found.code === code);
  if (finding === undefined) return [];
  return fixesFor(finding, analysis, () => undefined).map(({ title, edits }) => {
    const mended = applyEdits(text, edits);
    return { title, text: mended, left: costFindings(analysed(mended, base)) };
  });
}

function costFindings({ findings }: ConfigAnalysis): readonly string[] {
  return findings.filter(({ code }) => /off-parity$|two-matrix/.test(code)).map(({ severity, code }) => `${severity} ${code}`);
}

interface Sizes {
  readonly experts: number;
  readonly k: number;
  readonly width: number;
}

const smoe = (d: number, { experts, k, width }: Sizes): string => `model:
  d_model: ${d}
  layers: 4
  context: 32
  attention: { heads: 4 }
  ffn: { width: ${width} }
  moe: { kind: smoe, experts: ${experts}, top_k: ${k}, expert_width: ${width} }
`;
const variant = (moe: string): string => `extends: base.moe.yaml\nparity: base.moe.yaml\nmodel: { moe: { ${moe} } }\n`;
const multiHead = (heads: number, { experts, k, width }: Sizes): string =>
  variant(`kind: mh-moe, heads: ${heads}, top_k: ${k}, experts: ${experts}, expert_width: ${width}`);

describe('fixes for a narrow MH-MoE, whose router is dear', () => {
  const base = smoe(64, { experts: 8, k: 1, width: 128 });

  it('are equal MACs without the router, and with it, as both are impossible; the titles say so, with all residuals', () => {
    const found = fixes('macs-off-parity', multiHead(2, { experts: 16, k: 2, width: 128 }), base);
    expect(found.map(({ title }) => title)).toEqual([
      'expert_width 43, experts 46 (equal only without router): MACs +0.52 % (+10.20 % with router), parameters +0.75 % (+1.23 % with router)',
      'expert_width 35, experts 56 (equal only with router): MACs −11.98 % (+0.51 % with router), parameters −0.13 % (+0.52 % with router)',
    ]);
    // That they are equal by one count is what is left to be said, and no warning: not even of the width, which is near that of equation 8.
    expect(found.map(({ left }) => left)).toEqual([['information macs-off-parity'], ['information macs-off-parity']]);
  });

  it('are none where it is equal by one of both already', () => {
    for (const sizes of [
      { experts: 46, k: 2, width: 43 },
      { experts: 56, k: 2, width: 35 },
    ]) {
      expect(costFindings(analysed(multiHead(2, sizes), base))).toEqual(['information macs-off-parity']);
      expect(fixes('macs-off-parity', multiHead(2, sizes), base)).toEqual([]);
    }
  });

  it('come after what mends both, if that is of other heads or another top_k', () => {
    const found = fixes('macs-off-parity', multiHead(4, { experts: 16, k: 4, width: 128 }), smoe(64, { experts: 4, k: 1, width: 128 }));
    expect(found.map(({ title, left }) => [title.replace(/:.*/, ''), left.length])).toEqual([
      ['heads 2, top_k 1, expert_width 85, experts 11', 0],
      ['expert_width 21, experts 89 (equal only without router)', 1],
    ]);
  });
});

describe('the order of fixes in very small models', () => {
  it('has those first that keep heads and top_k, though other ones come nearer', () => {
    // 21 x 93 leaves −1.04 % of the MACs, 43 x 46 with top_k 1 only +0.52 %.
    const found = fixes('parameters-off-parity', multiHead(4, { experts: 16, k: 2, width: 64 }), smoe(32, { experts: 8, k: 1, width: 64 }));
    expect(found[0]?.title).toMatch(/^expert_width 21, experts 93: MACs −1\.04 % /);
  });

  it('has those first that leave nothing to be said of the other axis', () => {
    const text = variant('experts: 9, top_k: 2, expert_width: 128');
    const found = fixes('parameters-off-parity', text, smoe(64, { experts: 8, k: 1, width: 128 }));
    expect(found.map(({ title, left }) => [title.replace(/:.*/, ''), left])).toEqual([
      ['expert_width 63, experts 16', []],
      ['expert_width 64, experts 16', ['information macs-off-parity']],
      ['top_k 1, expert_width 128, experts 8', []],
    ]);
  });
});

describe('fixes of a sparse model beside a dense one', () => {
  const against = (subject: string, baseline: string) => {
    const [ours, theirs] = [presetOf(subject), presetOf(baseline)];
    if (ours === undefined || theirs === undefined) throw new Error('Both are presets.');
    return fixes('macs-off-parity', `parity: base.moe.yaml\n${presetText(ours)}`, presetText(theirs));
  };

  it('PEER: by how many experts are retrieved; those that it has stay', () => {
    expect(against('peer/n-512', 'peer/dense').map(({ title }) => title)).toEqual([
      'top_k 384, experts 262144 (equal only without router): MACs 0.00 % (+27.78 % with router), parameters +8433.33 % (+8451.39 % with router)',
      'top_k 277, experts 262144 (equal only with router): MACs −27.86 % (−0.09 % with router), parameters +8433.33 % (+8451.39 % with router)',
    ]);
  });

  it('MH-MoE: by their width; the experts that it has stay', () => {
    const dense = smoe(768, { experts: 8, k: 1, width: 2048 }).replace(/ {2}moe: .*\n/, '');
    const text = `${dense}  moe: { kind: mh-moe, heads: 2, top_k: 2, experts: 40, expert_width: 1024 }\nparity: base.moe.yaml\n`;
    const [first] = fixes('macs-off-parity', text, dense);
    expect(first?.title).toMatch(/^expert_width 7\d\d, experts 40: MACs /);
    expect(first?.left).toEqual(['information parameters-off-parity']);
  });
});

it('every fix leaves a document without that warning, and with it mended either way if the title does not say otherwise', () => {
  const oneOf = <T>(...values: readonly T[]) => fc.constantFrom(...values);
  const sizes = fc.record({ experts: oneOf(4, 8, 16, 30), k: oneOf(1, 2, 3, 4), width: oneOf(24, 64, 100, 128, 300) });
  const pair = fc.record({ d: oneOf(24, 32, 48, 64, 120), heads: oneOf(1, 2, 4), ours: sizes, theirs: sizes });
  let offered = 0;
  let reducing = 0;
  fc.assert(
    fc.property(pair, ({ d, heads, ours, theirs }) => {
      const [text, base] = [heads === 1 ? smoe(d, ours) : multiHead(heads, ours), smoe(d, theirs)];
      const subject = heads === 1 ? `parity: base.moe.yaml\n${text}` : text;
      for (const code of ['macs-off-parity', 'parameters-off-parity']) {
        for (const { title, left } of fixes(code, subject, base)) {
          offered += 1;
          const isReducing = title.includes('(equal only');
          if (isReducing) reducing += 1;
          expect(left).not.toContain(`warning ${code}`);
          expect(left.includes(`information ${code}`), title).toBe(isReducing);
          if (code === 'macs-off-parity') expect(left).not.toContain('warning two-matrix-parity');
        }
      }
    }),
    { seed: 2411, numRuns: 40, endOnFailure: true },
  );
  expect(offered).toBeGreaterThan(40);
  expect(reducing).toBeGreaterThan(10);
});
