import { describe, expect, it } from 'vitest';
import { typedPlace } from '../../src/language/typedPlace';

/** The place at the mark `│` of a text: `key model.moe "ex" (kind, heads)`. */
function placeIn(marked: string): string | undefined {
  const offset = marked.indexOf('│');
  const text = marked.replace('│', '');
  const before = text.slice(0, offset).split(/\r\n|\n|\r/);
  const place = typedPlace(text, { line: before.length - 1, character: (before.at(-1) ?? '').length });
  if (place === undefined) return undefined;
  const { side, path, typed, siblings, flow, hasColon, needsSpace, range } = place;
  const line = text.split(/\r\n|\n|\r/)[range.start.line] ?? '';
  const replaced = line.slice(range.start.character, range.end.character);
  const flags = [flow ? 'flow' : '', hasColon ? 'colon' : '', needsSpace ? 'space' : ''].filter(Boolean).join(' ');
  const others = side === 'key' ? ` (${[...siblings].join(', ')})` : '';
  return `${side} ${path.join('.') || 'top'} "${typed}"${replaced === typed ? '' : ` of "${replaced}"`}${others}${flags && ` ${flags}`}`;
}

describe('the place that is typed at', () => {
  it.each([
    ['│', 'key top "" ()'],
    ['name: x\n│\nmodel:\n  layers: 2\n', 'key top "" (name, model)'],
    ['model:\n  │\n  layers: 2\n', 'key model "" (layers)'],
    ['model:\n  lay│\n', 'key model "lay" ()'],
    ['model:\n  lay│ers: 2\n', 'key model "lay" of "layers" () colon'],
    ['model:\n  layers: 2\n  moe:\n    kind: smoe\n    ex│\n    top_k: 1\ntrain:\n', 'key model.moe "ex" (kind, top_k)'],
    ['model:\n  layers: 2\n  moe:\n    kind: smoe\n  ff│\n', 'key model "ff" (layers, moe)'],
    ['model:\n  moe:\n    kind: │\n', 'value model.moe.kind ""'],
    ['model:\n  moe:\n    kind:│\n', 'value model.moe.kind "" space'],
    ['model:\n  moe:\n    kind: mh│-moe # two\n', 'value model.moe.kind "mh" of "mh-moe"'],
    ['extends: "base.│', 'value extends ""base."'],
    ['extends: sub/a b.│moe.yaml\n', 'value extends "sub/a b." of "sub/a b.moe.yaml"'],
    ['model:\n  moe: { kind: smoe, ex│ }\n', 'key model.moe "ex" (kind) flow'],
    ['model:\n  moe: { │ }\n', 'key model.moe "" () flow'],
    ['model:\n  moe: {│}\n', 'key model.moe "" () flow'],
    ['model:\n  moe: { kind: │', 'value model.moe.kind "" flow'],
    ['model:\n  moe: { kind:│', 'value model.moe.kind "" flow space'],
    ['model:\n  moe: { kind: sm│, heads: 2 }\n', 'value model.moe.kind "sm" flow'],
    ['model:\n  moe: { kind: smoe, router: { sel│ } }\n', 'key model.moe.router "sel" () flow'],
    ['model:\n  moe: {\n    kind: smoe,\n    │\n    heads: 2 }\n', 'key model.moe "" (kind, heads) flow'],
    ['model:\n  moe: { kind: smoe, ex│\n  ffn: { width: 2 }\n  layers: 2\n', 'key model.moe "ex" (kind) flow'],
    ['model:\n  moe: { kind: smoe\n  layers: 2\n  co│\n', 'key model "co" (moe, layers)'],
    ['data:\n  train: [│]\n', 'value data.train.0 "" flow'],
    ['data:\n  train: [a.txt, b│]\n', 'value data.train.1 "b" flow'],
    ['data:\n  train:\n    - a.txt\n    - b│\n', 'value data.train.1 "b"'],
    ['data:\n  train:\n  - a.txt\n  - │\n', 'value data.train.1 ""'],
    ['data:\n  train:\n  - a.txt\n  va│\n', 'key data "va" (train)'],
    ['sweep:\n  - model.moe.top_k: 2\n    mo│\n', 'key sweep.0 "mo" (model.moe.top_k)'],
    ['sweep:\n  - mo│\n', 'value sweep.0 "mo"'],
    ['sweep:\n  - { mo│ }\n', 'key sweep.0 "mo" () flow'],
    ['model: # moe-lab│\n', 'comment model "# moe-lab"'],
    ['# moe│-lab\nmodel:\n', 'comment top "# moe" of "# moe-lab"'],
    ['model:\n  ffn: { width: 2 } # mo│\n', 'comment model.ffn "# mo"'],
    ['name: "a # b│"\n', 'value name ""a # b" of ""a # b""'],
    ['name: a#b│\n', 'value name "a#b"'],
    ['name: |\n  some te│xt\nmodel:\n', undefined],
    ['name: |\n  some text\nmo│\n', 'key top "mo" (name)'],
    ['"model":\n  \'moe\':\n    ki│\n', 'key model.moe "ki" ()'],
    ['\uFEFFmodel:\r\n  moe:\r\n    ki│\r\n', 'key model.moe "ki" ()'],
    ['model:\n\tki│\n', 'key model "ki" ()'],
  ])('%j is %j', (marked, place) => {
    expect(placeIn(marked)).toBe(place);
  });

  it('is found or not, and never throws, wherever one types in any text', () => {
    const text = 'a: [b, {c: "d\nmodel: {\n  moe: &x { kind: | }}]]\n  - - ? x: *y # z\n\t: :\n"unclosed: \'\n}: ,\n';
    const lines = text.split('\n');
    for (const [line, content] of lines.entries())
      for (let character = 0; character <= content.length + 1; character += 1) {
        const place = typedPlace(text, { line, character });
        if (place === undefined) continue;
        expect(place.range.start.line).toBe(line);
        expect(place.range.start.character).toBeLessThanOrEqual(character);
        expect(place.range.end.character).toBeGreaterThanOrEqual(Math.min(character, content.length));
      }
  });
});
