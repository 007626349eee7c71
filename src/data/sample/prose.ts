import { type Choice, choiceOf, type Voice } from './voice';

/** Small stories. The name of a paragraph decides its pronouns, and a verb decides which nouns are likely after it. */
export function tellParagraph(voice: Voice): void {
  const person = people[voice.pick(firstWord)] ?? mara;
  tellDeed(voice, person.pronoun);
  while (voice.pick(goOn) === 0) {
    if (voice.pick(person.nextSubject) === 1) voice.pick(anyNoun);
    tellDeed(voice, person.pronoun);
  }
}

interface Person {
  readonly name: string;
  readonly pronoun: string;
  readonly nextSubject: Choice;
  readonly ending: Choice;
}

/** Index 0 ends the sentence; 1 adds where, 2 why, 3 another deed. */
const endings = (pronoun: string) => choiceOf(['.', ' in the ', ` because ${pronoun} `, ' and'], [6, 2, 1, 1]);

const person = (name: string, pronoun: 'she' | 'he'): Person => ({
  name,
  pronoun,
  nextSubject: choiceOf([pronoun === 'she' ? 'She' : 'He', 'The '], [3, 1]),
  ending: endings(pronoun),
});

const mara = person('Mara', 'she');
const people = [mara, person('Oskar', 'he'), person('Ines', 'she'), person('Tomas', 'he'), person('Lotte', 'she'), person('Bruno', 'he')];
const endingOf: Readonly<Record<string, Choice>> = { she: mara.ending, he: endings('he') };

const firstWord = choiceOf(people.map(({ name }) => name));
const goOn = choiceOf([' ', '\n'], [4, 1]);

const verbs = ['finds', 'paints', 'carries', 'watches', 'follows', 'repairs', 'remembers', 'sells'];
const nouns = [
  'lamp',
  'boat',
  'letter',
  'garden',
  'mirror',
  'bridge',
  'clock',
  'horse',
  'violin',
  'key',
  'tower',
  'river',
  'window',
  'stone',
  'ship',
  'fox',
];
const adjectives = ['old', 'quiet', 'broken', 'golden', 'small', 'green'];
const places = ['harbour', 'valley', 'market', 'forest', 'station', 'kitchen'];
const reasons = ['is tired.', 'cannot sleep.', 'has time.', 'likes the rain.', 'was asked to.'];

/** Zipf's law with a flat top. */
const zipf = (rank: number) => 1 / (rank + 1.5);

const deed = choiceOf(
  verbs.map((verb) => ` ${verb} the `),
  verbs.map((_, rank) => zipf(rank)),
);
/** For each verb an adjective or at once a noun; each verb has its own favourite nouns. */
const objects = verbs.map((_, verb) => {
  const weights = nouns.map((_noun, at) => zipf((at + 5 * verb) % nouns.length));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return {
    noun: choiceOf(nouns, weights),
    adjectiveOrNoun: choiceOf(
      [...adjectives.map((adjective) => `${adjective} `), ...nouns],
      [...adjectives.map(() => 0.05), ...weights.map((weight) => (0.7 * weight) / total)],
    ),
  };
});
const anyNoun = choiceOf(nouns);
const place = choiceOf(
  places.map((name) => `${name}.`),
  places.map((_, rank) => zipf(rank)),
);
const reason = choiceOf(reasons);

function tellDeed(voice: Voice, pronoun: string): void {
  const ending = endingOf[pronoun] ?? mara.ending;
  for (;;) {
    const verb = objects[voice.pick(deed)];
    if (verb !== undefined && voice.pick(verb.adjectiveOrNoun) < adjectives.length) voice.pick(verb.noun);
    const next = voice.pick(ending);
    if (next === 1) voice.pick(place);
    if (next === 2) voice.pick(reason);
    if (next !== 3) return;
  }
}
