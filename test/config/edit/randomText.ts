import fc from 'fast-check';
import type { ConfigValue } from '../../../src/config/remedy';

/** Draws from what a test wants to be drawn: one of the values. */
type OneOf = <T>(values: readonly T[]) => T;

/** A config as a value: sections of sections, lists, and text of all kinds. */
export interface RandomSection {
  readonly [key: string]: ConfigValue;
}

const keys = [
  'model',
  'moe',
  'd_model',
  'experts',
  'router',
  'a',
  'b',
  'name',
  'x-y',
  'z.w',
  'mit Leerzeichen',
  '\u{1F9EA}',
  '名前',
  'true',
  '7',
];
const texts = [
  'smoe',
  'top_k',
  'corpus/*.txt',
  'a b',
  'a: b',
  '#',
  ' x',
  "it's",
  '"',
  '\u{1F9EA}',
  '模型',
  'null',
  'true',
  '12',
  '1e3',
  '- x',
  '{',
  ']',
  '&a',
  '*a',
  '!',
  '%',
  '@',
  'a, b',
  '',
  'x #y',
  'back\\slash',
  'two\nlines',
  '\t',
  '~',
  'no',
  '.5',
  '0x1f',
  '<<',
  '---',
];

export const randomScalar: fc.Arbitrary<ConfigValue> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...texts) },
  { weight: 2, arbitrary: fc.constantFrom<number>(0, 1, 8, 768, 1e-8, 0.02, 1.5e21, -3) },
  fc.boolean(),
);

export const randomKey = fc.constantFrom(...keys);

export const randomSection: fc.Arbitrary<RandomSection> = fc.letrec<{ section: RandomSection; value: ConfigValue }>((tie) => ({
  section: fc.dictionary(randomKey, tie('value'), { minKeys: 1, maxKeys: 5 }),
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    { weight: 4, arbitrary: randomScalar },
    { weight: 1, arbitrary: fc.array(randomScalar, { maxLength: 4 }) },
    { weight: 3, arbitrary: tie('section') },
  ),
})).section;

export interface Written {
  readonly text: string;
  /** What it says: what was to be written, and at times one value once more, as an alias. */
  readonly value: RandomSection;
}

/** The value as a text in some hand: block and flow mixed, anchors, quotes where none are needed, comments, empty lines, line ends. */
export function inSomeHand(value: RandomSection, oneOf: OneOf): Written {
  const anchored: { readonly name: string; readonly value: ConfigValue }[] = [];
  const eol = oneOf(['\n', '\n', '\r\n']);
  const step = oneOf(['  ', '  ', '    ', ' ']);
  const comment = (): string => (oneOf([true, false, false, false]) ? `${oneOf([' ', '  ', '\t'])}${oneOf(comments)}` : '');
  const between = (indent: string): string[] =>
    oneOf<string[]>([[], [], [], [''], [`${indent}${oneOf(comments)}`], ['', `  ${oneOf(comments)}`, '']]);
  const scalar = (part: string | number | boolean): string => {
    if (oneOf([true, ...Array.from({ length: 11 }, () => false)])) {
      const name = oneOf(['a', '\u{1F9EA}', 'x-1']) + String(anchored.length);
      anchored.push({ name, value: part });
      return `&${name} ${unanchored(part)}`;
    }
    return unanchored(part);
  };
  const unanchored = (part: string | number | boolean): string => {
    if (typeof part !== 'string') return String(part);
    const plain = /^[a-z_]{2,}$/.test(part) && !['null', 'true', 'no'].includes(part);
    const single = /^[\x20-\x7e]*$/.test(part) ? [`'${part.replaceAll("'", "''")}'`] : [];
    return oneOf([JSON.stringify(part), ...single, ...(plain ? [part, part] : [])]);
  };
  const key = (name: string): string =>
    /^[a-z_-]{1,}$/.test(name) && name !== 'true' ? oneOf([name, name, JSON.stringify(name)]) : JSON.stringify(name);
  const flow = (part: ConfigValue): string => {
    if (typeof part !== 'object') return scalar(part);
    const entries = Array.isArray(part)
      ? (part as readonly ConfigValue[]).map(flow)
      : Object.entries(part).map(([name, inner]) => `${key(name)}: ${flow(inner)}`);
    const [open, close] = Array.isArray(part) ? ['[', ']'] : ['{', '}'];
    const room = oneOf(['', ' ']);
    return entries.length === 0
      ? `${open}${close}`
      : `${open}${room}${entries.join(oneOf([', ', ',  ']))}${oneOf(['', '', ','])}${room}${close}`;
  };
  /** A bracket a line, with comments between. */
  const tallFlow = (part: RandomSection, indent: string): string[] => {
    const entries = Object.entries(part);
    return [
      '{',
      ...entries.map(
        ([name, inner], index) =>
          `${indent}${step}${key(name)}: ${flow(inner)}${index < entries.length - 1 || oneOf([true, false]) ? ',' : ''}${comment()}`,
      ),
      `${indent}}`,
    ];
  };
  const lines = (section: RandomSection, indent: string): string[] =>
    Object.entries(section).flatMap(([name, part]): string[] => {
      const head = `${indent}${key(name)}:`;
      const isEmpty = typeof part === 'object' && Object.keys(part).length === 0;
      const style = typeof part !== 'object' || isEmpty ? 'one line' : oneOf(['block', 'block', 'one line', 'tall']);
      if (style === 'one line') return [...between(indent), `${head}${oneOf([' ', '  '])}${flow(part)}${comment()}`];
      if (Array.isArray(part)) {
        const dash = oneOf([indent, `${indent}${step}`]);
        return [
          ...between(indent),
          `${head}${comment()}`,
          ...(part as readonly ConfigValue[]).map((entry) => `${dash}- ${flow(entry)}${comment()}`),
        ];
      }
      const inner = part as RandomSection;
      if (style === 'block') return [...between(indent), `${head}${comment()}`, ...lines(inner, `${indent}${step}`)];
      const [open = '', ...rest] = tallFlow(inner, `${indent}${step}`);
      return [...between(indent), `${head} ${open}`, ...rest];
    });
  const bom = oneOf(['', '', '', '\uFEFF']);
  const block = oneOf([true, true, true, false]);
  const whole = block ? lines(value, '') : [flow(value)];
  const shared = block && anchored.length > 0 && oneOf([true, false]) ? oneOf(anchored) : undefined;
  if (shared) whole.push(`shared: *${shared.name}${comment()}`);
  const text = bom + whole.join(eol) + oneOf([eol, eol, '', `${eol}${oneOf(comments)}`, `${eol}${eol}`]);
  return { text, value: shared ? { ...value, shared: shared.value } : value };
}

const comments = ['# why', '#', '# a: b', '# \u{1F9EA}\ttab', '# "quoted', '# [x', '# 注釈', '# moe-lab-disable x -- y'];
