import { describe, expect, it } from 'vitest';
import { applyEdits } from '../../src/config/edit/keyEdits';
import { AnalysisStore, type AnalysisSources } from '../../src/language/analysisStore';
import { fixesFor, offeredFixes, withSureFixes } from '../../src/language/codeFixes';
import { replacedPart } from '../../src/language/replacedPart';
import { SolvedSizes } from '../../src/language/solvedSizes';
import { suppressionComment } from '../../src/language/suppressAction';

const base = `model:
  d_model: 768
  layers: 12
  context: 128
  attention: { heads: 12 }
  ffn: { width: 2048, activation: swiglu }
  moe: { kind: smoe, experts: 8, top_k: 1, expert_width: 2048, router: { balance: switch, balance_weight: 0.01 } }
`;
const multiHead = `extends: base.moe.yaml
parity: base.moe.yaml
model:
  moe:
    kind: mh-moe
    heads: 2
    top_k: 2
    experts: 16 # Too few,
    expert_width: 1024 # and too wide.
    router: { balance: top_k }
`;

function workspace(files: Record<string, string>): { readonly sources: AnalysisSources; readonly store: AnalysisStore } {
  const sources: AnalysisSources = { readText: (file) => files[file], environment: () => ({ severities: {}, memory: null }) };
  return { sources, store: new AnalysisStore(sources) };
}

describe('fixes of a finding about parity', () => {
  const files = { '/w/base.moe.yaml': base, '/w/mh.moe.yaml': multiHead };

  it("are the solver's choices that mend it, with the residuals of both axes, in the text as it is written", () => {
    const { store, sources } = workspace(files);
    const analysis = store.get('/w/mh.moe.yaml');
    const parity = analysis.findings.filter(({ code }) => /^(macs|parameters)-off-parity$/.test(code));
    expect(parity.map(({ code }) => code).toSorted()).toEqual(['macs-off-parity', 'parameters-off-parity']);
    for (const finding of parity) {
      const fixes = fixesFor(finding, analysis, sources.readText);
      expect(fixes.length).toBeGreaterThan(0);
      for (const { title, edits, sure } of fixes) {
        expect(title).toMatch(
          /: MACs [+−]?\d+\.\d\d %( \([+−]?\d+\.\d\d % with router\))?, parameters [+−]?\d+\.\d\d %( \([+−]?\d+\.\d\d % with router\))?$/,
        );
        expect(sure).toBe(false);
        const text = applyEdits(multiHead, edits);
        expect(text).toContain('# Too few,');
        const mended = workspace({ ...files, '/w/mh.moe.yaml': text }).store.get('/w/mh.moe.yaml');
        expect(mended.findings.map(({ code }) => code)).not.toContain(finding.code);
      }
    }
  });

  it('state nothing that the base says already', () => {
    const wider = 'extends: base.moe.yaml\nparity: base.moe.yaml\nmodel: { moe: { expert_width: 4096 } }\n';
    const { store, sources } = workspace({ ...files, '/w/wider.moe.yaml': wider });
    const analysis = store.get('/w/wider.moe.yaml');
    const [finding] = analysis.findings.filter(({ code }) => code === 'macs-off-parity');
    const [first] = finding === undefined ? [] : fixesFor(finding, analysis, sources.readText);
    expect(first?.title).toMatch(/^expert_width 2048, experts 8: MACs 0\.00 %, parameters 0\.00 %$/);
    expect(applyEdits(wider, first?.edits ?? [])).toBe(wider.replace('4096', '2048'));
  });

  it('mend one axis alone where both cannot be had: a dense model beside a sparse one', () => {
    const dense = `parity: base.moe.yaml\n${base.replace(/ {2}moe: .*\n/, '').replace('width: 2048', 'width: 2500')}`;
    const { store, sources } = workspace({ ...files, '/w/dense.moe.yaml': dense });
    const analysis = store.get('/w/dense.moe.yaml');
    const [finding] = analysis.findings.filter(({ code }) => code === 'macs-off-parity');
    const [first] = finding === undefined ? [] : fixesFor(finding, analysis, sources.readText);
    expect(first?.title).toMatch(/^width 2048: MACs 0\.00 % \(−0\.\d\d % with router\), parameters −87\.50 %/);
    expect(applyEdits(dense, first?.edits ?? [])).toBe(dense.replace('2500', '2048'));
    // That parameters cannot be equal too is explained, not mended at any price.
    const unequal = analysis.findings.find(({ code }) => code === 'parameters-off-parity');
    expect(unequal?.severity).toBe('information');
    expect(unequal && fixesFor(unequal, analysis, sources.readText)).toEqual([]);
  });

  it('begin with 768 x 41, what 2411.16205 rounds to 768 x 40', () => {
    const { store, sources } = workspace(files);
    const analysis = store.get('/w/mh.moe.yaml');
    const [finding] = analysis.findings.filter(({ code }) => code === 'macs-off-parity');
    const [first] = finding === undefined ? [] : fixesFor(finding, analysis, sources.readText);
    expect(first?.title).toMatch(/^expert_width 768, experts 41: MACs 0\.00 % \(\+0\.5\d % with router\), parameters −0\.7\d % \(/);
  });
});

describe('the lightbulb', () => {
  const files: Record<string, string> = { '/w/base.moe.yaml': base, '/w/mh.moe.yaml': multiHead };
  const { store, sources } = workspace(files);
  const sizes = new SolvedSizes();
  const offered = () => {
    const analysis = store.get('/w/mh.moe.yaml');
    return analysis.findings.flatMap((finding) => offeredFixes(finding, analysis, sources.readText, sizes));
  };
  const write = (text: string): void => {
    files['/w/mh.moe.yaml'] = text;
    store.outdate('/w/mh.moe.yaml');
  };

  it('has sizes solved once for what is compared, however often and for how many findings it asks', () => {
    // Two findings, about MACs and about parameters, and one solution.
    expect(new Set(offered().map(({ title }) => title.replace(/:.*/, ''))).size).toBeGreaterThanOrEqual(3);
    expect(sizes.solutions).toBe(1);
    offered();
    // New findings each time, of the same model: another name, a comment, lines between.
    for (const text of [`name: Ours\n${multiHead}`, `${multiHead}# Later.\n`, multiHead.replace('model:', '\nmodel:'), multiHead]) {
      write(text);
      expect(offered().length).toBeGreaterThanOrEqual(6);
    }
    expect(sizes.solutions).toBe(1);
    write(multiHead.replace('1024', '1032'));
    offered();
    expect(sizes.solutions).toBe(2);
    // Whoever takes back what was typed.
    write(multiHead);
    offered();
    expect(sizes.solutions).toBe(2);
    // Another baseline.
    files['/w/base.moe.yaml'] = base.replace('expert_width: 2048', 'expert_width: 1536');
    store.outdate('/w/base.moe.yaml');
    offered();
    expect(sizes.solutions).toBe(3);
  });

  it('forgets what was asked for longest ago, and keeps the rest', () => {
    const few = new SolvedSizes();
    const subject = store.get('/w/mh.moe.yaml').loaded.experiment;
    const baseline = store.get('/w/base.moe.yaml').loaded.experiment;
    if (subject === undefined || baseline === undefined) throw new Error('Both are valid.');
    const seeded = (seed: number) => ({ ...subject, model: { ...subject.model, vocabulary: 32_000 + seed } });
    for (let seed = 0; seed <= 64; seed++) few.of(seeded(seed), baseline, 'both');
    expect(few.solutions).toBe(65);
    few.of(seeded(1), baseline, 'both');
    expect(few.solutions).toBe(65);
    few.of(seeded(0), baseline, 'both');
    expect(few.solutions).toBe(66);
  });
});

describe('sure fixes', () => {
  const fixAll = (text: string): string =>
    withSureFixes('/w/own.moe.yaml', workspace({ '/w/base.moe.yaml': base, '/w/own.moe.yaml': text }).sources);

  it('leave a text alone that has none', () => {
    expect(fixAll(base)).toBe(base);
    expect(fixAll(multiHead)).toBe(multiHead);
    expect(fixAll('')).toBe('');
    expect(fixAll('model: [')).toBe('model: [');
  });

  it('are all applied at once, also those that only then come up, and keep the rest as it is', () => {
    const misspelt = base.replace('d_model', 'dmodel').replace('layers', 'layer').replace('model:', 'modle: # Ours.');
    expect(fixAll(misspelt)).toBe(base.replace('model:', 'model: # Ours.'));
  });

  it('come to one edit, from the first line that differs to the last', () => {
    const before = 'a: 1\r\nb: 2\r\nc: 3\r\nd: 4\r\n';
    const after = before.replace('b: 2\r\n', '').replace('c: 3', 'c: 5');
    const edit = replacedPart(before, after);
    expect(edit).toEqual({ range: { start: { line: 1, character: 0 }, end: { line: 3, character: 0 } }, newText: 'c: 5\r\n' });
    expect(applyEdits(before, edit ? [edit] : [])).toBe(after);
    expect(replacedPart(before, before)).toBeUndefined();
    expect(replacedPart('', 'a: 1')).toEqual({
      range: { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } },
      newText: 'a: 1',
    });
  });
});

describe('a suppression', () => {
  const suppressed = (text: string, code: string): { readonly text: string; readonly codes: readonly string[] } => {
    const of = (content: string) =>
      workspace({ '/w/base.moe.yaml': base, '/w/own.moe.yaml': content }).store.get('/w/own.moe.yaml').findings;
    const finding = of(text).find((found) => found.code === code);
    if (finding === undefined) throw new Error(`No ${code} in ${text}`);
    const comment = suppressionComment(finding, text);
    if (comment === undefined) return { text, codes: of(text).map((found) => found.code) };
    const { position, before, after } = comment;
    const edited = applyEdits(text, [{ range: { start: position, end: position }, newText: `${before}an ablation${after}` }]);
    return { text: edited, codes: of(edited).map((found) => found.code) };
  };

  it.each([
    ['in a block', multiHead],
    ['with the line ends of the text', multiHead.replaceAll('\n', '\r\n')],
    ['beside a comment', multiHead.replace('parity: base.moe.yaml', 'parity: base.moe.yaml # The baseline.')],
    ['in brackets over lines', 'extends: base.moe.yaml\nparity: base.moe.yaml\nmodel: {\n  moe: {\n    expert_width: 1024 } }\n'],
  ])('%s stands above its line, and is all that it takes', (_, text) => {
    const { text: edited, codes } = suppressed(text, 'macs-off-parity');
    expect(edited).toMatch(/\n *# moe-lab-disable-next-line macs-off-parity -- an ablation\r?\n/);
    expect(codes).not.toContain('macs-off-parity');
    expect(codes).not.toContain('suppression-unused');
    expect(edited.includes('\r\n')).toBe(text.includes('\r\n'));
    expect(/[^\r]\n/.test(edited)).toBe(/[^\r]\n/.test(text));
  });

  it('is not offered for errors, which keep a model from being built', () => {
    const wrong = multiHead.replace('heads: 2', 'heads: 5');
    const { findings } = workspace({ '/w/base.moe.yaml': base, '/w/own.moe.yaml': wrong }).store.get('/w/own.moe.yaml');
    const errors = findings.filter(({ severity }) => severity === 'error');
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(suppressionComment(error, wrong)).toBeUndefined();
  });
});
