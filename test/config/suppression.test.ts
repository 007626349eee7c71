import { describe, expect, it } from 'vitest';
import type { ConfigFinding } from '../../src/config/configFile';
import { applyEdits } from '../../src/config/edit/keyEdits';
import { fixesOf } from '../../src/config/fixes';
import { ruleCodes } from '../../src/config/ruleCodes';
import { adjusted } from '../../src/config/severities';
import type { RuleSeverities } from '../../src/config/severities';
import { suppressionsIn } from '../../src/config/suppression';
import { load, shown } from './memoryFiles';

/** A config in which the capacity drops nothing (line 10) and every layer has all its experts (line 9). */
const config = `model:
  d_model: 64
  layers: 2
  context: 32
  attention: { heads: 2 }
  ffn: { width: 64 }
  moe:
    kind: smoe
    experts: 4
    router: { capacity_factor: 8, balance: top_k }
    top_k: 2
    expert_width: 64
`;

function findings(text: string, severities: RuleSeverities = {}, others: Readonly<Record<string, string>> = {}): ConfigFinding[] {
  const texts: Readonly<Record<string, string>> = { 'a.moe.yaml': text, ...others };
  const loaded = load(texts);
  return adjusted(loaded.findings, { loaded, severities, texts: (file) => texts[file.slice('/lab/'.length)], codes: ruleCodes });
}

function says(text: string, severities: RuleSeverities = {}, others: Readonly<Record<string, string>> = {}): string[] {
  return findings(text, severities, others).map((finding) => shown(finding, { 'a.moe.yaml': text, ...others }));
}

const codes = (text: string, severities?: RuleSeverities): string[] =>
  findings(text, severities).map(({ severity, code }) => `${severity} ${code}`);

const onLine = (line: number, comment: string): string =>
  config
    .split('\n')
    .map((text, index) => (index === line - 1 ? `${text} ${comment}` : text))
    .join('\n');

const above = (line: number, ...comments: string[]): string =>
  config
    .split('\n')
    .toSpliced(line - 1, 0, ...comments)
    .join('\n');

describe('severities', () => {
  it('stay without a word about them', () => {
    expect(codes(config)).toEqual(['warning ample-capacity']);
  });

  it('are those of the setting, and those of the config above them', () => {
    expect(codes(config, { 'ample-capacity': 'information' })).toEqual(['information ample-capacity']);
    expect(codes(config, { 'ample-capacity': 'off' })).toEqual([]);
    expect(codes(`${config}lint: { ample-capacity: error }\n`, { 'ample-capacity': 'off' })).toEqual(['error ample-capacity']);
  });

  it('of errors stay, whatever the setting says', () => {
    const text = config.replace('top_k: 2', 'top_k: 5');
    expect(codes(text, { 'top-k': 'off' })).toEqual(codes(text));
    expect(codes(text)[0]).toMatch(/^error/);
  });

  it('are inherited through extends', () => {
    const variant = 'extends: base.moe.yaml\n';
    const base = `${config}lint:\n  ample-capacity: off\n`;
    expect(says(variant, {}, { 'base.moe.yaml': base })).toEqual([]);
    expect(says(`${variant}lint: { ample-capacity: warning }\n`, {}, { 'base.moe.yaml': base })).toEqual([
      expect.stringMatching(/^base\.moe\.yaml 10:.* warning ample-capacity/),
    ]);
  });

  it('change nothing of the experiment', () => {
    expect(load(`${config}lint: { ample-capacity: error }\n`).experiment).toEqual(load(config).experiment);
  });

  it('of rules that there are not, or of errors, are findings with a way out', () => {
    const text = `${config}lint: { ample-capacty: off, top-k: warning, x: off }\n`;
    expect(says(text)).toEqual([
      expect.stringMatching(/\[capacity_factor\] warning ample-capacity|ample-capacity/),
      'a.moe.yaml 13:9 [ample-capacty] warning lint-unknown-rule: There is no rule `ample-capacty`; did you mean `ample-capacity`?',
      'a.moe.yaml 13:29 [top-k] warning lint-fixed-rule: `top-k` is an error: without it there is nothing that could be counted or trained, so its severity stays.',
      'a.moe.yaml 13:45 [x] warning lint-unknown-rule: There is no rule `x`; remove it.',
    ]);
    let mended = text;
    for (let [next] = findings(mended).filter(({ code }) => code.startsWith('lint')); next;) {
      mended = applyEdits(mended, fixesOf(next, mended)[0]?.edits ?? []);
      [next] = findings(mended).filter(({ code }) => code.startsWith('lint'));
    }
    expect(mended).toBe(`${config}lint: { ample-capacity: off }\n`);
  });

  it('must be one that there is', () => {
    expect(says(`${config}lint: { ample-capacity: loud }\n`)).toEqual([
      'a.moe.yaml 13:25 [loud] error invalid-value: `lint.ample-capacity` is the text "loud"; it must be off, information, warning or error.',
    ]);
  });
});

describe('a suppression', () => {
  it.each([
    ['in its line', onLine(10, '# moe-lab-disable-line ample-capacity -- the paper has it')],
    ['in the line above', above(10, '# moe-lab-disable-next-line ample-capacity -- the paper has it')],
    ['above other comments', above(10, '    # moe-lab-disable-next-line ample-capacity -- why', '', '# more')],
    ['anywhere in the file', `${config}# moe-lab-disable ample-capacity -- why`],
    ['with others', onLine(10, '# moe-lab-disable-line  ample-capacity,ample-capacity -- why -- not')],
    ['with CRLF', above(10, '# moe-lab-disable-next-line ample-capacity -- why').replaceAll('\n', '\r\n')],
    ['behind a byte order mark', `\uFEFF#moe-lab-disable ample-capacity -- why\n${config}`],
  ])('suppresses %s', (_, text) => {
    expect(says(text)).toEqual([]);
  });

  it.each([
    ['another line', onLine(9, '# moe-lab-disable-line ample-capacity -- why'), 'information suppression-unused'],
    ['without a reason', onLine(10, '# moe-lab-disable-line ample-capacity'), 'warning suppression-reason'],
    ['with an empty reason', onLine(10, '# moe-lab-disable-line ample-capacity -- '), 'warning suppression-reason'],
    ['without a code', onLine(10, '# moe-lab-disable-line -- why'), 'warning suppression-unknown'],
    ['of a rule that there is not', onLine(10, '# moe-lab-disable-line ample -- why'), 'warning suppression-unknown'],
    ['of an error', onLine(10, '# moe-lab-disable-line top-k -- why'), 'warning suppression-unknown'],
    ['of what suppressions say', onLine(10, '# moe-lab-disable-line suppression-unused -- why'), 'warning suppression-unknown'],
  ])('for %s does not, and says so', (_, text, finding) => {
    expect(codes(text).toSorted()).toEqual([finding, 'warning ample-capacity'].toSorted());
  });

  it('is a comment of YAML, not a text', () => {
    expect(suppressionsIn('a: "# moe-lab-disable x -- y"\nb: |\n  # moe-lab-disable x -- y\nc: x# moe-lab-disable x -- y')).toEqual([]);
    expect(suppressionsIn('a: x # moe-lab-disable x -- y\n# moe-lab-disabled x -- y')).toHaveLength(1);
  });

  it('in the base is for what is found in the base', () => {
    const base = onLine(10, '# moe-lab-disable-line ample-capacity -- why');
    expect(says('extends: b.moe.yaml\n', {}, { 'b.moe.yaml': base })).toEqual([]);
    expect(
      says('extends: b.moe.yaml\n', {}, { 'b.moe.yaml': `${config}# moe-lab-disable-line warmup -- of no concern here` }),
    ).toHaveLength(1);
  });

  it('is not called unused where an error kept rules from looking, or where it depends on the machine', () => {
    expect(codes(config.replace('layers: 2', 'layers: two # moe-lab-disable-line ample-capacity -- why'))).toEqual(['error invalid-value']);
    expect(codes(onLine(1, '# moe-lab-disable-line parity-missing -- made on the cluster'))).toEqual(['warning ample-capacity']);
  });

  it.each([
    ['unused', onLine(9, '# moe-lab-disable-line ample-capacity -- why'), config],
    ['unused, a line of its own', above(9, '  # moe-lab-disable-next-line ample-capacity -- why'), config],
    [
      'one of two',
      onLine(10, '# moe-lab-disable-line top_k, ample-capacity -- y'),
      onLine(10, '# moe-lab-disable-line ample-capacity -- y'),
    ],
    [
      'the last of two',
      onLine(10, '# moe-lab-disable-line ample-capacity, zzz -- y'),
      onLine(10, '# moe-lab-disable-line ample-capacity -- y'),
    ],
    ['misspelt', onLine(10, '# moe-lab-disable-line ample_capacity -- y'), onLine(10, '# moe-lab-disable-line ample-capacity -- y')],
  ])('%s is mended', (_, text, expected) => {
    const [finding] = findings(text).filter(({ code }) => code.startsWith('suppression-'));
    const fixes = finding ? fixesOf(finding, text) : [];
    expect(fixes.map(({ edits }) => applyEdits(text, edits))).toContain(expected);
  });
});
