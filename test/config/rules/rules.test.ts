import { describe, expect, it } from 'vitest';
import { rules } from '../../../src/config/semanticRules';
import { load, shown } from '../memoryFiles';
import { cases } from './allCases';
import { changed, findings, router } from './changes';

describe('values together', () => {
  it('are fine in the base', () => {
    expect(findings({})).toEqual([]);
  });

  it.each(cases)('$of: $changes', ({ changes, says }) => {
    expect(findings(changes)).toEqual([says].flat());
  });

  it('each rule has a case', () => {
    const told = new Set([...cases.map(({ of }) => of), 'frozen-temperature']);
    expect(rules.map(({ code }) => code).filter((code) => !told.has(code))).toEqual([]);
  });

  it('a frozen temperature is told beside the frozen router', () => {
    expect(findings(router({ type: 'cosine', frozen: true, learn_temperature: true, balance: 'none' }))).toEqual([
      expect.stringContaining('[frozen] warning frozen-router: '),
      expect.stringContaining('[learn_temperature] warning frozen-temperature: '),
    ]);
  });
});

it('a variant that takes an effect away is told where it does so', () => {
  const texts = {
    'base.moe.yaml': changed(router({ type: 'cosine', dimension: 8 })),
    'a.moe.yaml': 'extends: base.moe.yaml\nmodel: { moe: { router: { type: linear } } }\n',
  };
  expect(load(texts).findings.map((finding) => shown(finding, texts))).toEqual([
    'a.moe.yaml 2:33 [linear] warning only-for-cosine: `moe.router.dimension: 8` has no effect, because a linear router has neither a reduced input nor a temperature; use `type: cosine`, or remove it.',
  ]);
});
