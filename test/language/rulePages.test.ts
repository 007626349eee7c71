import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AnalysisEnvironment } from '../../src/language/analysis';
import { AnalysisStore } from '../../src/language/analysisStore';
import { ruleIndex } from '../../src/language/ruleIndex';
import { ruleList } from '../../src/language/ruleList';
import { baseOfExamples, examplesOf, filesOf } from './ruleExamples';

const folder = join(__dirname, '..', '..', 'media', 'rules');
const pages = readdirSync(folder).map((name) => name.replace(/\.md$/, ''));
const textOf = (code: string): string => readFileSync(join(folder, `${code}.md`), 'utf8');

/** Of a laptop; a page about memory has a model that is larger. */
const environment: AnalysisEnvironment = { severities: {}, memory: { host: 16 * 2 ** 30 } };

/** Codes found in an example, as an editor would show them. */
function codesIn(text: string, files: Readonly<Record<string, string>>): string[] {
  const texts: Readonly<Record<string, string>> = { 'base.moe.yaml': baseOfExamples, ...files, 'example.moe.yaml': text };
  const store = new AnalysisStore({
    readText: (file) => texts[file.replace(/^\/lab\//, '')],
    environment: () => environment,
  });
  return store.get('/lab/example.moe.yaml').findings.map(({ code }) => code);
}

it('every rule has a page, and every page a rule', () => {
  expect(pages.toSorted()).toEqual(ruleList.map(({ code }) => code).toSorted());
});

it('the model that examples are laid over has no finding', () => {
  expect(codesIn('extends: base.moe.yaml\n', {})).toEqual([]);
});

// Said where a config is named that is not there: no text shows it.
const withoutExample = ['missing-file'];

describe.each(ruleList.map(({ code, severity, advisory }) => ({ code, severity, advisory })))('$code', ({ code, severity, advisory }) => {
  const text = textOf(code);

  it('says what it is, why, what to do, and when to leave it', () => {
    expect(text.split('\n')[0]).toBe(`# \`${code}\``);
    expect(text).toContain(`**${severity[0]?.toUpperCase() ?? ''}${severity.slice(1)}.** `);
    expect([...text.matchAll(/^## (.*)$/gm)].map(([, title]) => title)).toEqual(['Why', 'What to do', 'Examples', 'Leaving it as it is']);
    expect(text.includes('it cannot be suppressed')).toBe(!advisory);
    expect(text.split('\n').length).toBeLessThan(110);
  });

  const examples = examplesOf(text);

  it('has examples', () => {
    const kinds = examples.map(({ kind }) => kind);
    const suppressed = advisory && !/^(suppression|lint)-/.test(code);
    expect(kinds).toEqual(withoutExample.includes(code) ? ['clean'] : ['finds', 'clean', ...(suppressed ? ['suppressed'] : [])]);
  });

  it.each(examples)('$kind: line $line', ({ kind, config }) => {
    const codes = codesIn(config, filesOf(text));
    // What is shown as right is right in all.
    if (kind === 'clean') expect(codes).toEqual([]);
    else expect(codes.includes(code)).toBe(kind === 'finds');
    // A comment that suppresses nothing would say so.
    expect(codes.includes('suppression-unused')).toBe(code === 'suppression-unused' && kind === 'finds');
  });
});

// `npm run generate` runs this file with --update, which writes it anew.
it('docs/rules.md lists them', async () => {
  await expect(ruleIndex()).toMatchFileSnapshot('../../docs/rules.md');
});
