import { describe, expect, it } from 'vitest';
import { parseDocument } from 'yaml';
import type { ConfigFinding, ConfigFix, SourceRange } from '../../src/config/configFile';
import { parseYamlTree } from '../../src/config/yamlTree';
import { applyEdits } from '../../src/config/edit/keyEdits';
import { presetOf, presets } from '../../src/config/presets/catalogue';
import { presetText } from '../../src/config/presets/presetText';
import type { ConfigAnalysis } from '../../src/language/analysis';
import { AnalysisStore } from '../../src/language/analysisStore';
import { architectureDiagram } from '../../src/language/architectureDiagram';
import { saidByYamlExtension } from '../../src/language/besideYaml';
import { fixesFor, withSureFixes } from '../../src/language/codeFixes';
import { completionsAt } from '../../src/language/completion/completionsAt';
import { brokenAt, configForm } from '../../src/language/configForm';
import { familyTable } from '../../src/language/familyTable';
import { hoverAt } from '../../src/language/hover';
import { inlayHints } from '../../src/language/inlayHints';
import { suppressionComment } from '../../src/language/suppressAction';
import { dice, hugeMutations, mutated, type Dice } from './mutations';

/**
 * Documents that somebody is in the middle of typing, has pasted, or another program has written: whatever they hold, everything that an
 * editor asks of them is answered, and nothing that it offers makes them worse. `npm test -- --only robustness` tries ten thousand.
 */
const documents = Number(process.env['MOE_LAB_DOCUMENTS'] ?? 1500);
const seed = Number(process.env['MOE_LAB_SEED'] ?? 1);

const base = `# The baseline.
name: smoe
model:
  vocabulary: 256
  d_model: 64
  layers: 4 # two of them routed
  context: 32
  attention: { heads: 4, position: rope }
  ffn: { width: 172, activation: swiglu }
  moe:
    kind: smoe
    every: 2
    experts: 8
    top_k: 1
    expert_width: 172
    router:
      score: softmax
      balance: switch
      balance_weight: 0.01
train:
  steps: 2000
  batch_tokens: 2048
  micro_batch: 8
  learning_rate: 1.0e-3
  warmup: 100
data:
  tokenizer: bytes
  train: [corpus/*.txt]
  validation: { prose: [valid/*.txt] }
`;

const seeds = [
  base,
  `extends: base.moe.yaml
parity: base.moe.yaml # fair
model:
  moe:
    kind: mh-moe
    heads: 2
    experts: 20
    top_k: 2
    expert_width: 64
    router: { balance: top_k, capacity_factor: 1.25 }
`,
  `parity: "base.moe.yaml"
model: { d_model: 64, layers: 2, context: 32, objective: masked, attention: { heads: 4, head_width: 16, moe: { experts: 4, top_k: 2 } }, ffn: { width: 96 } }
train: { steps: 100, batch_tokens: 256, betas: [0.9, 0.95] }
evaluate: { every: 50 }
`,
  `# Product keys.
model:
  d_model: 64
  layers: 3
  context: 32
  attention: { heads: 2 }
  ffn:
    width: 128
  product_keys: { layers: [1], experts: 256, heads: 2, top_k: 4, key_width: 32 }

  bitnet: { weights: ternary }
engine: { device: cpu }
`,
  `extends: base.moe.yaml
sweep:
  model.moe.top_k: [1, 2]
  train.learning_rate: [1.0e-3, 2.0e-3]
model:
  moe:
    router:
      select: dynamic # varies
      balance: none
      # moe-lab-disable-next-line no-balance -- on purpose
      k_max: 4
lint:
  ample-capacity: off
`,
  '{"model": {"d_model": 8, "layers": 1, "context": 8, "attention": {"heads": 1}, "ffn": {"width": 8}}, "train": {"steps": 2, "batch_tokens": 8, "micro_batch": 1}}',
];

/** Published models as the editor writes them, heading and all. */
const published = [
  'mh-moe/table-1/mh-moe-2',
  'mh-moe-original/mh-moe-8',
  'olmoe-1b-7b',
  'switchhead/c4-47m/switchhead',
  'peer/n-128',
  'dynamic-moe/top-p',
]
  .flatMap((id) => presetOf(id) ?? [])
  .map(presetText);
const documentsBefore = [...seeds, ...published];

const own = '/lab/a.moe.yaml';
const baseFile = '/lab/base.moe.yaml';

/** A document, and the base and baseline beside it. */
interface Lab {
  readText(file: string): string | undefined;
  write(file: string, text: string): void;
  /** Of the document, as the texts are now. */
  analysis(): ConfigAnalysis;
}

function lab(): Lab {
  const texts = new Map([[baseFile, base]]);
  const readText = (file: string): string | undefined => texts.get(file);
  const environment = () => ({ severities: {}, memory: { host: 8e9, device: { name: 'NVIDIA L4', bytes: 4e9, shared: false } } });
  const store = new AnalysisStore({ readText, environment });
  return {
    readText,
    write: (file, text) => {
      texts.set(file, text);
      store.outdate(file);
    },
    analysis: () => store.get(own),
  };
}

function expectInside(text: string, { start, end }: SourceRange): void {
  const lines = text.split(/\r\n|\n|\r/);
  for (const { line, character } of [start, end]) {
    expect(line).toBeGreaterThanOrEqual(0);
    expect(character).toBeGreaterThanOrEqual(0);
    expect(line).toBeLessThan(lines.length);
    expect(character).toBeLessThanOrEqual(lines[line]?.length ?? -1);
  }
  expect(start.line < end.line || (start.line === end.line && start.character <= end.character)).toBe(true);
}

function expectWholeFindings({ findings }: ConfigAnalysis, textOf: (file: string) => string): void {
  for (const { file, range, message, code } of findings) {
    expectInside(textOf(file), range);
    expect(message).toMatch(/[.?]$/);
    expect(message.length).toBeLessThan(2000);
    expect(message).not.toMatch(/\bundefined\b|\[object|Invalid input/);
    expect(code).toMatch(/^[a-z0-9-]+$/);
  }
}

/** Findings that say the same of the same file: a fix must make them fewer. */
function alike(findings: readonly ConfigFinding[], { file, code, message }: ConfigFinding): number {
  return findings.filter((other) => other.file === file && other.code === code && other.message === message).length;
}

function expectApart(text: string, { edits }: ConfigFix): void {
  const inOrder = edits.toSorted((a, b) => a.range.start.line - b.range.start.line || a.range.start.character - b.range.start.character);
  inOrder.forEach(({ range }, index) => {
    expectInside(text, range);
    const before = inOrder[index - 1]?.range.end;
    if (before)
      expect(before.line < range.start.line || (before.line === range.start.line && before.character <= range.start.character)).toBe(true);
  });
}

/** With a fix applied its file parses, and what it was to mend is gone. */
function expectMended(finding: ConfigFinding, before: ConfigAnalysis, fix: ConfigFix, at: Lab): void {
  const text = at.readText(finding.file) ?? '';
  expectApart(text, fix);
  const after = applyEdits(text, fix.edits);
  const what = `${finding.code}: ${finding.message} -> ${fix.title}: ${JSON.stringify(fix.edits)}`;
  expect(isYaml(after), what).toBe(true);
  if (isRead(text)) expect(isRead(after), what).toBe(true);
  expectFewer(finding, before, finding.file, after, at, what);
}

/** What is found like it is less, once a file says something else. */
function expectFewer(finding: ConfigFinding, before: ConfigAnalysis, file: string, after: string, at: Lab, what: string): void {
  const text = at.readText(file) ?? '';
  at.write(file, after);
  const left = alike(at.analysis().findings, finding);
  at.write(file, text);
  expect(left, what).toBeLessThan(alike(before.findings, finding));
}

/** Whether it parses; that a key is there twice the parser takes. */
function isYaml(text: string): boolean {
  return parseDocument(text, { prettyErrors: false }).errors.every(({ code }) => code === 'DUPLICATE_KEY');
}

/** Whether it is read to its end, with an anchor for every alias. */
function isRead(text: string): boolean {
  return parseYamlTree(text).problems.every(({ code }) => code !== 'yaml-syntax');
}

/** Everything that an editor asks of the document. Returns how many fixes it was offered. */
function examine(at: Lab, throws: Dice, mostFixes: number): number {
  const analysis = at.analysis();
  const { text } = analysis;
  const textOf = (file: string): string => at.readText(file) ?? '';
  expectWholeFindings(analysis, textOf);

  for (const { position, text: hint } of inlayHints(analysis)) {
    expectInside(text, { start: position, end: position });
    expect(hint).not.toMatch(/undefined|NaN/);
  }
  const lines = text.split(/\r\n|\n|\r/);
  const line = throws.below(lines.length);
  const position = { line, character: throws.below((lines[line]?.length ?? 0) + 1) };
  const hover = hoverAt(analysis, position, 'alone');
  if (hover) expectInside(text, hover.range);
  const configs = presets.map((preset) => ({ preset, text: presetText(preset) }));
  const sources = { listFolder: () => [{ name: 'base.moe.yaml', isFolder: false }], presets: () => configs };
  for (const { range } of completionsAt({ file: own, text, position, beside: 'alone' }, sources)) expectInside(text, range);
  const broken = configForm(own, text, at.readText) === undefined ? brokenAt(own, text, at.readText) : undefined;
  if (broken) expectInside(textOf(broken.file), broken.range);
  familyTable(analysis);
  for (const finding of analysis.findings) saidByYamlExtension(finding, textOf(finding.file));
  if (throws.chance(0.05)) {
    const program = analysis.program();
    if (program && analysis.loaded.experiment) architectureDiagram(program, analysis.loaded.experiment.model.context);
  }

  let fixes = 0;
  const { findings } = analysis;
  const chosen = findings.length <= mostFixes ? findings : Array.from({ length: mostFixes }, () => throws.oneOf(findings));
  for (const finding of chosen) {
    const before = textOf(finding.file);
    const comment = suppressionComment(finding, before);
    if (comment) {
      const newText = `${comment.before}reason${comment.after}`;
      const after = applyEdits(before, [{ range: { start: comment.position, end: comment.position }, newText }]);
      expectFewer(finding, analysis, finding.file, after, at, `${finding.code} suppressed`);
    }
    for (const fix of fixesFor(finding, analysis, at.readText)) {
      fixes += 1;
      expectMended(finding, analysis, fix, at);
    }
  }
  return fixes;
}

/** Tells which document it was, to try it alone. */
function withDocument(text: string, by: readonly string[], examination: () => void): void {
  try {
    examination();
  } catch (error) {
    const shown = text.length > 3000 ? `${text.slice(0, 3000)}...` : text;
    throw new Error(`After ${by.join(', ')}: ${error instanceof Error ? error.message : String(error)}\n${JSON.stringify(shown)}`, {
      cause: error,
    });
  }
}

const shares = 10;
const mostFixes = documents > 5000 ? 8 : 3;

describe('documents in any state', () => {
  it.each(Array.from({ length: shares }, (_, share) => share))(
    'are answered, and mended by what is offered (%i of 10)',
    { timeout: 3_600_000 },
    (share) => {
      const at = lab();
      let fixes = 0;
      for (let number = share; number < documents; number += shares) {
        const throws = dice(seed * 1_000_003 + number);
        const { text, by } = mutated(throws.oneOf(documentsBefore), throws);
        withDocument(text, by, () => {
          at.write(own, text);
          fixes += examine(at, throws, mostFixes);
        });
      }
      expect(fixes).toBeGreaterThan(documents / shares / 4);
    },
  );

  it('are answered for by a document that extends them, and one that is held against them', { timeout: 3_600_000 }, () => {
    const at = lab();
    let fixes = 0;
    for (let number = 0; number < documents / 5; number += 1) {
      const throws = dice(seed * 5_000_003 + number);
      const { text, by } = mutated(base, throws);
      withDocument(text, ['base', ...by], () => {
        at.write(baseFile, text);
        at.write(own, throws.oneOf(seeds));
        fixes += examine(at, throws, mostFixes);
      });
    }
    expect(fixes).toBeGreaterThan(0);
  });

  it.each(Object.entries(hugeMutations))('%s', { timeout: 600_000 }, (mutation, mutate) => {
    const throws = dice(seed);
    const text = mutate(base, throws);
    const at = lab();
    at.write(own, text);
    withDocument(text, [mutation], () => void examine(at, throws, 2));
  });

  it('with every sure fix applied parse if they did, and have none left', { timeout: 3_600_000 }, () => {
    const environment = () => ({ severities: {}, memory: null });
    let changed = 0;
    for (let number = 0; number < documents / 10; number += 1) {
      const throws = dice(seed * 7_000_003 + number);
      const { text, by } = mutated(throws.oneOf(documentsBefore), throws);
      const mended = (before: string): string =>
        withSureFixes(own, { readText: (file) => (file === own ? before : file === baseFile ? base : undefined), environment });
      withDocument(text, by, () => {
        const after = mended(text);
        if (after !== text) changed += 1;
        if (isYaml(text)) expect(isYaml(after)).toBe(true);
        expect(mended(after)).toBe(after);
      });
    }
    expect(changed).toBeGreaterThan(0);
  });
});
