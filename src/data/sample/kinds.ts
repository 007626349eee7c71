import { tellParagraph } from './prose';
import { choiceOf, type Voice } from './voice';

/** The kinds of text in the sample corpus; each procedure says one piece that ends with a line break. */
export const kinds = {
  prose: tellParagraph,
  arithmetic: tellSum,
  lists: tellSequence,
  code: tellProgram,
} as const satisfies Record<string, (voice: Voice) => void>;

export type Kind = keyof typeof kinds;

const operators = [' + ', ' - ', ' * '];
const operator = choiceOf(operators);
const OPERANDS = 10;
const digit = choiceOf(Array.from({ length: OPERANDS }, (_, value) => String(value)));

/** `7 * 8 = 56`: all entropy lies in the question, none in the answer. */
function tellSum(voice: Voice): void {
  const a = voice.pick(digit);
  const sign = voice.pick(operator);
  const b = voice.pick(digit);
  voice.say(` = ${sign === 0 ? a + b : sign === 1 ? a - b : a * b}\n`);
}

const cycles = [
  ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'],
  ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december'],
  ['mercury', 'venus', 'earth', 'mars', 'jupiter', 'saturn', 'uranus', 'neptune'],
  ['red', 'orange', 'yellow', 'green', 'blue', 'indigo', 'violet'],
];
const places = cycles.flatMap((cycle) => cycle.map((_, at) => ({ cycle, at })));
const firstItem = choiceOf(places.map(({ cycle, at }) => cycle[at] ?? ''));
const direction = choiceOf([' > ', ' < ']);
const goOn = choiceOf(
  ['more', 'end'].map((word) => (word === 'more' ? ', ' : '.\n')),
  [5, 1],
);

/** `may > june, july, august.` or backwards with `<`: after start and direction only the length is open. */
function tellSequence(voice: Voice): void {
  const start = places[voice.pick(firstItem)];
  if (start === undefined) return;
  const stride = voice.pick(direction) === 0 ? 1 : -1;
  let { at } = start;
  do {
    at = (at + stride + start.cycle.length) % start.cycle.length;
    voice.say(start.cycle[at] ?? '');
  } while (voice.pick(goOn) === 0);
}

const identifiers = ['alpha', 'beta', 'gamma', 'delta', 'omega', 'sigma'];
const VARIABLES = 2;

/** Two assignments, then two prints of them with their output as a comment: the values must be looked up in the lines above. */
function tellProgram(voice: Voice): void {
  const values = new Map<string, number>();
  for (let line = 0; line < VARIABLES; line++) {
    const free = identifiers.filter((name) => !values.has(name));
    voice.say('let ');
    const name = free[voice.pick(choiceOf(free))] ?? '';
    voice.say(' = ');
    values.set(name, voice.pick(digit));
    voice.say(';\n');
  }
  const names = [...values.keys()];
  const known = choiceOf(names);
  for (let line = 0; line < VARIABLES; line++) {
    voice.say('print(');
    const name = names[voice.pick(known)] ?? '';
    voice.say(`); // ${values.get(name) ?? 0}\n`);
  }
  voice.say('\n');
}
