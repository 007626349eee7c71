/** Draws from what there is, always the same for one seed. */
export interface Dice {
  below(limit: number): number;
  oneOf<T>(values: readonly T[]): T;
  chance(share: number): boolean;
}

/** mulberry32: good enough to pick places in texts. */
export function dice(seed: number): Dice {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  return { below, oneOf: (values) => values[below(values.length)] as (typeof values)[number], chance: (share) => next() < share };
}

export type Mutation = (text: string, dice: Dice) => string;

const values = [
  '0',
  '-1',
  '1',
  '2',
  '3',
  '1.5',
  '1e309',
  '-0',
  '0x10',
  '.inf',
  '.nan',
  '9007199254740993',
  '1e-30',
  'true',
  'null',
  '~',
  '',
  '""',
  "'x'",
  '[]',
  '[1, 2]',
  '[[1], {}]',
  '{}',
  '{ a: 1 }',
  'smoe',
  'mh-moe',
  'top_k',
  '2024-01-01',
  '1_000',
  '0o17',
  '!!str 1',
  '!!binary aGk=',
  '!x y',
  '&a 1',
  '*a',
  '|',
  '>-',
  '?',
  '- 1',
  '@',
  '`',
  '%',
  'a: b',
  '"unclosed',
  '[unclosed',
  '{ unclosed',
  '\u{1F9EA}',
  '模型',
  'نموذج',
  'é',
  '\u0000',
  '\u2028',
  '64',
  '256',
  '4096',
  '16777216',
];
const keys = [
  'heads',
  'top_k',
  'moe',
  'model',
  'train',
  'extends',
  'parity',
  'experts',
  'kind',
  'lint',
  'sweep',
  'data',
  'name',
  '<<',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '',
  '"a b"',
  '1',
  'true',
  'ключ',
  '\u{1F9EA}',
  'expert_widht',
  'topk',
  'router',
  'balance',
  'd_modle',
  'learning_rate',
  'warm_up',
  '? x',
  '[a]',
  '{a: b}',
];
const characters = [
  ...':{}[]#&*!|>\'"%@`,-?~<=\\/$.^',
  ' ',
  '  ',
  '\t',
  '\n',
  '\r\n',
  '\r',
  '\u0000',
  '\u0007',
  '\u001F',
  '\u0002',
  '\u0085',
  '\u00A0',
  '\u200B',
  '\u202E',
  '\u2028',
  '\uFEFF',
  '\uD83E',
  '\uDDEA',
  '\u{1F9EA}',
  '́',
  '模',
  'م',
  'x',
  '7',
  ': ',
  ' #',
  '\n- ',
  '\n  ',
  '---\n',
  '...\n',
  '%YAML 1.1\n---\n',
];
const laughs = Array.from(
  { length: 9 },
  (_, level) =>
    `l${level}: &l${level} [${level === 0 ? 'ha, ha' : `*l${level - 1}, *l${level - 1}, *l${level - 1}, *l${level - 1}, *l${level - 1}, *l${level - 1}, *l${level - 1}, *l${level - 1}, *l${level - 1}`}]`,
).join('\n');
const sections = [
  laughs,
  'model: &m { d_model: 8 }\ntrain: *m',
  'x: &x { y: *x }',
  '<<: { model: { layers: 2 } }',
  'lint: { no-balance: off, top-k: off, nonsense: error, __proto__: off }',
  'lint: off',
  'sweep: { model.moe.top_k: [1, 2, 99, x], train.learning_rate: [0.001] }',
  'sweep:\n  - { model.layers: 2 }\n  - { model.nothing: 1 }\n  - 3',
  'sweep: { model.layers: [1, 2, 3, 4, 5, 6, 7, 8, 9], model.d_model: [8, 16, 24, 32, 40, 48, 56, 64] }',
  'extends: a.moe.yaml',
  'extends: base.moe.yaml',
  'extends: ../../../etc/passwd',
  'parity: a.moe.yaml',
  'parity: base.moe.yaml',
  'parity: nothing.moe.yaml',
  '# moe-lab-disable no-balance, top-k -- because',
  '# moe-lab-disable',
  '# moe-lab-disable nonsense -- \u{1F9EA}',
  'data: { train: [a.txt, "a.txt"], validation: { a: [a.txt], "": [b], "a b": a.txt } }',
  'train: { steps: 10, batch_tokens: 7, micro_batch: 3, warmup: 99 }',
];

const lineEnds = /(?<=\r\n|\n|\r(?!\n))/;

function onLines(text: string, change: (lines: string[]) => void): string {
  const lines = text.split(lineEnds);
  change(lines);
  return lines.join('');
}

/** `key: value # comment` -> the parts of it, the value from its first character on. */
const keyAndValue = /^([ \t-]*)([\w."'-]+)(:[ \t]*)([^#\r\n]*?)([ \t]*(?:#.*)?[\r\n]*)$/s;

function onPair(
  text: string,
  dice: Dice,
  change: (parts: { indent: string; key: string; colon: string; value: string; rest: string }) => string,
): string {
  return onLines(text, (lines) => {
    const at = dice.below(lines.length);
    const parts = keyAndValue.exec(lines[at] ?? '');
    if (!parts) return;
    const [, indent = '', key = '', colon = '', value = '', rest = ''] = parts;
    lines[at] = change({ indent, key, colon, value, rest });
  });
}

const inFlow = /([\w.-]+): ([^,{}[\]#\r\n]+)(?=[,}])/g;

/** Each is what happens to texts: while somebody types, merges, pastes, or another program writes. */
export const mutations: Readonly<Record<string, Mutation>> = {
  'a line goes': (text, dice) => onLines(text, (lines) => void lines.splice(dice.below(lines.length), 1 + dice.below(2))),
  'the end goes': (text, dice) => text.slice(0, dice.below(text.length + 1)),
  'the start goes': (text, dice) => text.slice(dice.below(Math.min(200, text.length + 1))),
  'a stretch goes': (text, dice) => {
    const at = dice.below(text.length + 1);
    return text.slice(0, at) + text.slice(at + 1 + dice.below(20));
  },
  'another value': (text, dice) =>
    onPair(text, dice, ({ indent, key, colon, rest }) => `${indent}${key}${colon.trimEnd()} ${dice.oneOf(values)}${rest}`),
  'another value in brackets': (text, dice) => {
    const all = [...text.matchAll(inFlow)];
    if (all.length === 0) return text;
    const chosen = dice.oneOf(all);
    return `${text.slice(0, chosen.index)}${chosen[1] ?? ''}: ${dice.oneOf(values)}${text.slice(chosen.index + chosen[0].length)}`;
  },
  'another key': (text, dice) =>
    onPair(text, dice, ({ indent, colon, value, rest }) => `${indent}${dice.oneOf(keys)}${colon}${value}${rest}`),
  'a misspelt key': (text, dice) =>
    onPair(text, dice, ({ indent, key, colon, value, rest }) => {
      const at = dice.below(key.length);
      return `${indent}${key.slice(0, at)}${dice.oneOf(['', 'x', key[at + 1] ?? '', '-'])}${key.slice(at + 1)}${colon}${value}${rest}`;
    }),
  'a key without a value': (text, dice) => onPair(text, dice, ({ indent, key, rest }) => `${indent}${key}:${rest}`),
  'an anchor': (text, dice) =>
    onPair(text, dice, ({ indent, key, value, rest }) => `${indent}${key}: &${dice.oneOf(['a', 'b', '\u{1F9EA}'])} ${value}${rest}`),
  'an alias': (text, dice) =>
    onPair(text, dice, ({ indent, key, rest }) => `${indent}${key}: *${dice.oneOf(['a', 'b', '\u{1F9EA}'])}${rest}`),
  'a line twice': (text, dice) =>
    onLines(text, (lines) => {
      const at = dice.below(lines.length);
      lines.splice(dice.below(lines.length), 0, lines[at] ?? '');
    }),
  'lines change places': (text, dice) =>
    onLines(text, (lines) => {
      const [a, b] = [dice.below(lines.length), dice.below(lines.length)];
      [lines[a], lines[b]] = [lines[b] ?? '', lines[a] ?? ''];
    }),
  'another indentation': (text, dice) =>
    onLines(text, (lines) => {
      const at = dice.below(lines.length);
      lines[at] = dice.oneOf(['', ' ', '  ', '   ', '    ', '\t', '  \t', '- ', '\u00A0']) + (lines[at] ?? '').trimStart();
    }),
  'tabs for spaces': (text, dice) =>
    dice.chance(0.5) ? text.replace(/^(?: {2})+/gm, (spaces) => '\t'.repeat(spaces.length / 2)) : text.replaceAll(': ', ':\t'),
  'a character': (text, dice) => {
    const at = dice.below(text.length + 1);
    return text.slice(0, at) + dice.oneOf(characters) + text.slice(at);
  },
  'a character for another': (text, dice) => {
    const at = dice.below(text.length + 1);
    return text.slice(0, at) + dice.oneOf(characters) + text.slice(at + 1);
  },
  'another script': (text, dice) => {
    const at = dice.below(text.length + 1);
    return (
      text.slice(0, at) +
      dice.oneOf(['\u{1F9EA}\u{1F468}‍\u{1F469}‍\u{1F467}', '模型的配置', 'نموذج', 'מודל', 'मॉडल', 'ñandú', '‏a', 'ｆｕｌｌ']) +
      text.slice(at)
    );
  },
  CRLF: (text) => text.replaceAll(/\r?\n/g, '\r\n'),
  'lone CR': (text, dice) => (dice.chance(0.5) ? text.replaceAll('\n', '\r') : text.replace('\n', '\r')),
  'mixed line ends': (text, dice) => text.replaceAll('\n', () => dice.oneOf(['\n', '\r\n'])),
  'a byte order mark': (text) => `\uFEFF${text}`,
  'a section': (text, dice) =>
    dice.chance(0.7) ? `${text}${text.endsWith('\n') ? '' : '\n'}${dice.oneOf(sections)}\n` : `${dice.oneOf(sections)}\n${text}`,
  'a section twice': (text) => `${text}\n${text}`,
  'a merge key': (text, dice) =>
    onLines(text, (lines) => {
      const at = dice.below(lines.length);
      const indent = /^ */.exec(lines[at] ?? '')?.[0] ?? '';
      lines.splice(at, 0, `${indent}<<: ${dice.oneOf(['*a', '{ top_k: 2 }', '[*a, *b]', '1'])}\n`);
    }),
  depth: (text, dice) => {
    const depth = dice.oneOf([10, 60, 300, 3000]);
    return `${text}\nname: ${dice.oneOf(['[', '{a: ', '- ', '? '].map((open) => open.repeat(depth)))}`;
  },
  'in brackets': (text, dice) =>
    onPair(
      text,
      dice,
      ({ indent, key, value, rest }) => `${indent}${key}: ${dice.oneOf([`[${value}]`, `{ ${key}: ${value} }`, `[ { ${value} } ]`])}${rest}`,
    ),
  'a block of text': (text, dice) =>
    onPair(
      text,
      dice,
      ({ indent, key, value }) =>
        `${indent}${key}: ${dice.oneOf(['|', '>', '|+', '>-', '|2', '| # c'])}\n${indent}    ${value}\n\n${indent}    more # no comment\n`,
    ),
  'a comment': (text, dice) =>
    onLines(text, (lines) => {
      const at = dice.below(lines.length);
      lines[at] = (lines[at] ?? '').replace(
        /[\r\n]*$/,
        (end) =>
          ` # ${dice.oneOf(['why', '\u{1F9EA}\t', 'moe-lab-disable-line no-balance -- x', 'moe-lab-disable-next-line unknown-key', '}', '"'])}${end}`,
      );
    }),
};

/** Too dear to be done often: a line of ten million characters, or so many keys. */
export const hugeMutations: Readonly<Record<string, Mutation>> = {
  'a line of 10 MB in a comment': (text) => text.replace('\n', ` # ${'x'.repeat(10_000_000)}\n`),
  'a value of 10 MB': (text) => text.replace(': ', `: "${'\u{1F9EA}x'.repeat(3_400_000)}" `),
  'a list of 10 MB in a line': (text) => `${text}name: [${'1, '.repeat(3_400_000)}]`,
  'a line of 150 KB': (text) => text.replace('\n', ` # ${'x'.repeat(150_000)}\n`),
  'a value of 150 KB': (text) => `${text}name: ${'x y '.repeat(37_000)}\n`,
  'thousands of keys': (text) => text + Array.from({ length: 2500 }, (_, index) => `k${index}: ${index}\n`).join(''),
  'thousands of levels in a line': (text) => `${text}name: ${'? '.repeat(4_000)}{ a: 1 }`,
  'thousands of quotes': (text) => `${text}name: ${'"'.repeat(19_000)}`,
  'thousands of anchors': (text) => `${text}name: ${'&a '.repeat(6_000)}`,
};

/** A text after one to four mutations, and what they were. */
export function mutated(text: string, dice: Dice): { readonly text: string; readonly by: readonly string[] } {
  const names = Object.keys(mutations);
  const by = Array.from({ length: dice.oneOf([1, 1, 1, 2, 2, 3, 4]) }, () => dice.oneOf(names));
  return { text: by.reduce((current, name) => mutations[name]?.(current, dice) ?? current, text), by };
}
