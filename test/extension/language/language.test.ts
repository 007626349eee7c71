import { describe, expect, it } from 'vitest';
import type { SourceRange } from '../../../src/config/configFile';
import { loadConfig } from '../../../src/config/loadConfig';
import { actionLenses, countLens, lensRange, parityLens, parityRange } from '../../../src/extension/language/lensTexts';
import { countReport } from '../../../src/extension/language/countReport';
import { AnalysisStore } from '../../../src/language/analysisStore';
import { keyText } from '../../../src/language/hover';
import { keyAt } from '../../../src/language/keyAt';
import { placeOf } from '../../../src/extension/language/placeOf';
import { buildLanguageModel } from '../../../src/models/languageModel';
import { compareWithBaseline } from '../../../src/parity/compareWithBaseline';
import type { Estimate } from '../../../src/runs/throughput';
import { trainingNeeds, type RunNeeds } from '../../../src/worker/runNeeds';

const base = `name: Base
model:
  d_model: 64
  layers: 2
  context: 32
  attention: { heads: 2 }
  ffn: { width: 128 }
  moe: { kind: smoe, experts: 4, top_k: 1, expert_width: 128 }
`;
const runnable = `${base}train: { steps: 10, batch_tokens: 256 }
data:
  train: [corpus/a.txt, corpus/b.txt]
  validation: { prose: [valid/*.txt] }
`;
const variant = `extends: base.moe.yaml
parity: base.moe.yaml
model:
  moe: { kind: mh-moe, heads: 2, experts: 8, top_k: 2, expert_width: 48 }
`;

const files: Readonly<Record<string, string>> = {
  '/w/base.moe.yaml': base,
  '/w/runnable.moe.yaml': runnable,
  '/w/variant.moe.yaml': variant,
  '/w/switch-head.moe.yaml': base.replace('{ heads: 2 }', '{ heads: 2, head_width: 16, moe: { experts: 4, top_k: 2 } }'),
  '/w/varying.moe.yaml': base.replace('experts: 4, top_k: 1', 'experts: 4, top_k: 2, router: { select: dynamic }'),
  '/w/renamed.moe.yaml': 'extends: base.moe.yaml\n',
  '/w/broken.moe.yaml': base.replace('layers: 2', 'layers: two').replace('top_k: 1', 'top_k: 9'),
  '/w/one.moe.yaml': 'extends: broken.moe.yaml\n',
  '/w/two.moe.yaml': 'extends: broken.moe.yaml\n',
};
const readText = (file: string): string | undefined => files[file];
const load = (name: string) => loadConfig(`/w/${name}.moe.yaml`, readText);

function textAt(name: string, range: SourceRange | undefined): string | undefined {
  if (!range) return undefined;
  expect(range.start.line).toBe(range.end.line);
  return files[`/w/${name}.moe.yaml`]?.split('\n')[range.start.line]?.slice(range.start.character, range.end.character);
}

describe('lenses', () => {
  const analysed = (name: string) =>
    new AnalysisStore({ readText, environment: () => ({ severities: {}, memory: null }) }).get(`/w/${name}.moe.yaml`);
  const count = (name: string, estimate?: Estimate) => {
    const analysis = analysed(name);
    return countLens(analysis.loaded, analysis, { needs: analysis.needs, estimate });
  };
  const actions = (name: string, isMeasured = true) => actionLenses(load(name), isMeasured).map(({ action }) => action);

  it('stand above `model:`, or above what a variant extends', () => {
    expect(textAt('base', lensRange(load('base')))).toBe('model');
    expect(textAt('renamed', lensRange(load('renamed')))).toBe('extends');
  });

  it('say what the model costs, and its training: memory, tokens, and time once it was measured', () => {
    expect(count('variant')).toMatchObject({
      action: 'showCount',
      title: expect.stringMatching(/^[\d.]+ k parameters \(≤ [\d.]+ k active\), [\d.]+ k MACs\/token$/),
    });
    const estimate = { tokensPerSecond: 2000, tokens: 2560, secondsToFinish: 7200, basis: 'similar models' } as const;
    expect(count('runnable').title).toMatch(/MACs\/token; trains in [\d.]+ MiB, 2\.560 k tokens$/);
    expect(count('runnable', estimate)).toMatchObject({
      title: expect.stringMatching(/, 2\.560 k tokens in about 2 h$/),
      tooltip: expect.stringContaining('by its MACs this one makes 2.000 k tokens/s.'),
    });
  });

  it('say how far both axes are from the baseline, in what differs and in all, where the baseline is named', () => {
    expect(textAt('variant', parityRange(load('variant')))).toBe('parity');
    expect(parityLens(analysed('variant'))).toMatchObject({
      action: 'chooseSizes',
      title: expect.stringMatching(
        /^vs base\.moe\.yaml: [+−]?[\d.]+ % MACs, [+−][\d.]+ % parameters in layers that differ; [+−]?[\d.]+ %, [+−][\d.]+ % in all$/,
      ),
      tooltip: expect.stringMatching(/^Without router: [+−]?[\d.]+ % MACs, .+ in layers that differ; .+ in whole model\. Choose/),
    });
    expect(parityLens(analysed('base'))).toBeUndefined();
  });

  it('say at which K a varying one is counted, and how attention with experts is counted elsewhere', () => {
    expect(count('varying').title).toMatch(/MACs\/token; at 2 of up to 4 experts$/);
    // One routed layer of three matrices 64 x 128.
    expect(count('varying').tooltip).toContain('One expert more on average costs 24.58 k MACs/token.');
    expect(actions('varying')).toEqual(['openDashboard', 'createTwin']);
    const { title, tooltip } = count('switch-head');
    expect(title).not.toContain('experts');
    expect(tooltip).toMatch(
      /^Attention of one layer over a window: [\d.]+ k MACs; [\d.]+ k by the equations of 2312\.07987 with its selections, [\d.]+ k by the script/,
    );
  });

  it('offer a run only of what can be trained', () => {
    expect(actions('base')).toEqual(['openDashboard']);
    expect(actions('runnable')).toEqual(['startRun', 'openDashboard']);
    expect(actions('runnable', false)).toEqual(['startRun', 'openDashboard', 'measureMachine']);
    expect(actions('base', false)).toEqual(['openDashboard']);
    expect(actions('broken')).toEqual(['openDashboard']);
  });

  it('lead to the problems of a config that has some', () => {
    expect(count('broken')).toMatchObject({ action: 'showProblems', title: expect.stringMatching(/^Not counted: \d+ errors?$/) });
  });
});

describe('hovers', () => {
  const loaded = load('runnable');
  const at = (text: string) => {
    const line = runnable.split('\n').findIndex((content) => content.includes(text));
    return { line, character: (runnable.split('\n')[line] ?? '').indexOf(text) + 1 };
  };

  it.each([
    ['model', 'model'],
    ['d_model', 'model.d_model'],
    ['top_k', 'model.moe.top_k'],
    ['batch_tokens', 'train.batch_tokens'],
    ['validation', 'data.validation'],
  ])('over %s describe %s', (text, path) => {
    const key = keyAt(loaded, at(text));
    expect(key?.description.path).toBe(path);
    expect(textAt('runnable', key?.range)).toBe(text);
  });

  it('hold for values on the same line', () => {
    expect(keyAt(loaded, at('128'))?.description.path).toBe('model.ffn.width');
  });

  it('say what a key means, what it must be and its default', () => {
    const key = keyAt(loaded, at('experts'));
    expect(key && keyText(key.description)).toMatch(
      /^\*\*model\.moe\.experts\*\*: a whole number of at least 1 and at most 1,048,576; required\n\nRouted experts in each routed layer\. .+\n\n`.+`\n\n\*Source: .+\*$/,
    );
  });
});

describe('places of errors', () => {
  it('are the entries of a list, the key otherwise, and the nearest thing stated where the config does not state it', () => {
    expect(textAt('runnable', placeOf(load('runnable'), ['data', 'train']))).toBe('corpus/a.txt, corpus/b.txt');
    expect(textAt('runnable', placeOf(load('runnable'), ['data', 'train', 1]))).toBe('corpus/b.txt');
    expect(textAt('runnable', placeOf(load('runnable'), ['train', 'batch_tokens']))).toBe('batch_tokens');
    expect(textAt('runnable', placeOf(load('runnable'), ['model', 'vocabulary']))).toBe('model');
    expect(textAt('renamed', placeOf(load('renamed'), ['data', 'train']))).toBe('extends');
  });
});

describe('the count report', () => {
  it('gives every figure in full, and they add up', () => {
    const loaded = load('variant');
    const counted = compareWithBaseline(loaded, readText);
    const report = countReport('variant.moe.yaml', counted, { experiment: load('variant').experiment, needs: null });
    const total = counted.count?.parameters.total ?? Number.NaN;
    expect(report).toContain(total.toLocaleString('en-GB'));
    expect(report).toContain('Against base.moe.yaml');
    expect(report).toMatch(/^ +MACs of the feed-forward layers that differ, with routers +[+−]?[\d.]+ %$/m);
    const macs = report.slice(report.indexOf('MACs per token'), report.indexOf('Feed-forward of each layer'));
    const figures = [...macs.matchAll(/ ([\d,.]+)$/gm)].map(([, figure = '']) => Number(figure.replaceAll(',', '')));
    expect(figures).toHaveLength(7);
    expect(figures.slice(1).reduce((sum, figure) => sum + figure, 0)).toBeCloseTo(figures[0] ?? 0, 0);
    expect(report).toMatch(/layers\.1\.moe +mh-moe +[\d,]+ +[\d,]+/);
    // The parts of the parameters are all of them, of the routed layers' MACs too; nobody sees parts that are not there.
    const sumOf = (text: string): number =>
      [...text.matchAll(/ ([\d,]+)$/gm)].reduce((sum, [, figure = '']) => sum + Number(figure.replaceAll(',', '')), 0);
    const parts = report.slice(report.indexOf('embedding, tied'), report.indexOf('MACs per token, forward'));
    expect(sumOf(parts)).toBe(total);
    const routed = report.slice(report.indexOf('MACs per token of the routed layers'), report.indexOf('Against base.moe.yaml'));
    expect(sumOf(routed)).toBe(counted.count?.macsPerToken.experts);
    expect(report).not.toContain('shared experts');
  });

  it('shows attention with experts by three counts, what a varying K costs, and what training takes', () => {
    const reportOf = (name: string, needs: RunNeeds | null = null) => {
      const loaded = load(name);
      return countReport(name, compareWithBaseline(loaded, readText), { experiment: loaded.experiment, needs });
    };
    expect(reportOf('switch-head')).toMatch(/^2312\.07987 Eq\. 11-13 +[\d,]+ +[\d,]+ +[\d,]+$/m);
    expect(reportOf('varying')).toContain('Units take up to 4 experts, counted at 2: one more on average costs 24,576 MACs per token.');
    const { experiment } = load('runnable');
    if (experiment === undefined) throw new Error('runnable has errors');
    const report = reportOf('runnable', trainingNeeds(experiment, buildLanguageModel(experiment)));
    expect(report).toMatch(/^ +[\d.]+ MiB +in all, but for the text$/m);
    expect(report).toMatch(/^ +[\d.]+ [KM]iB +both moments of AdamW$/m);
    expect(report).toMatch(/^ +checkpoints +[\d.]+ [KM]iB$/m);
  });

  it('says why a config with errors is not counted', () => {
    const loaded = load('broken');
    const report = countReport('broken.moe.yaml', compareWithBaseline(loaded, readText), { experiment: undefined, needs: null });
    expect(report).toContain('not counted');
    expect(report).toContain(loaded.findings[0]?.message);
  });
});
