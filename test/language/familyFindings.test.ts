import { describe, expect, it } from 'vitest';
import { applyEdits } from '../../src/config/edit/keyEdits';
import type { ConfigAnalysis } from '../../src/language/analysis';
import { AnalysisStore } from '../../src/language/analysisStore';
import { fixesFor } from '../../src/language/codeFixes';

const smoe = `model:
  d_model: 64
  layers: 4
  context: 32
  attention: { heads: 2 }
  ffn: { width: 128 }
  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: 1024, router: { balance: switch, balance_weight: 0.01 } }
`;
const family = (sweep: string): string =>
  `extends: smoe.moe.yaml\nparity: smoe.moe.yaml\nmodel:\n  moe: { expert_width: 1024 }\n${sweep}\n`;

function analysed(text: string): { readonly analysis: ConfigAnalysis; readonly readText: (file: string) => string | undefined } {
  const files: Record<string, string> = { '/w/smoe.moe.yaml': smoe, '/w/family.moe.yaml': text };
  const readText = (file: string): string | undefined => files[file];
  return {
    analysis: new AnalysisStore({ readText, environment: () => ({ severities: {}, memory: null }) }).get('/w/family.moe.yaml'),
    readText,
  };
}

const told = ({ findings }: ConfigAnalysis): readonly string[] =>
  findings.map(({ severity, code, range, file }) => `${file} ${range.start.line} ${severity} ${code}`);

describe('what is found of a family', () => {
  const sweep = 'sweep:\n  model.moe.experts: [8, 9, 16]';

  it('stands in its file, at the key of the sweep', () => {
    expect(told(analysed(family(sweep)).analysis)).toEqual(['/w/family.moe.yaml 5 warning parameters-off-parity']);
  });

  it('has the severity that is asked for, and can be suppressed there', () => {
    const line = `${sweep} # moe-lab-disable-line parameters-off-parity -- what this is about`;
    expect(told(analysed(family(line)).analysis)).toEqual([]);
    expect(told(analysed(family(`lint: { parameters-off-parity: error }\n${sweep}`)).analysis)).toEqual([
      '/w/family.moe.yaml 6 error parameters-off-parity',
    ]);
  });

  it('is not mended by other sizes of the config itself, but by taking members out', () => {
    const { analysis, readText } = analysed(family(sweep));
    const [finding] = analysis.findings;
    if (finding === undefined) throw new Error('Nothing found.');
    const fixes = fixesFor(finding, analysis, readText);
    expect(fixes.map(({ title }) => title)).toEqual(['Remove 2 members from the sweep']);
    for (const { edits } of fixes) expect(told(analysed(applyEdits(analysis.text, edits)).analysis)).toEqual([]);
  });
});
