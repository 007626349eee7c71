import { valueAt } from '../../config/keyValues';
import type { Remedy } from '../../config/remedy';
import type { Experiment } from '../../config/schema';
import { formatBothAxes } from '../formatCount';
import type { Choice } from './solve';

/** `expert_width 768, experts 41`: the end of each key, as long as tells it from the others. */
export function sizesText(changes: Choice['changes']): string {
  const keys = Object.keys(changes);
  const texts = Object.entries(changes).map(([key, value]) => `${nameOf(key, keys)} ${value}`);
  return texts.length === 0 ? 'As it is' : texts.join(', ');
}

function nameOf(key: string, keys: readonly string[]): string {
  const words = key.split('.');
  const ends = words.map((_, index) => words.slice(-1 - index).join('.'));
  return ends.find((end) => keys.every((other) => other === key || !`.${other}`.endsWith(`.${end}`))) ?? key;
}

/**
 * `expert_width 768, experts 41: MACs 0.00 % (+0.54 % with router), parameters −0.78 % (−0.76 % with router)`; a note stands behind the
 * sizes, in brackets.
 */
export function choiceTitle(choice: Choice, note?: string): string {
  return `${sizesText(choice.changes)}${note === undefined ? '' : ` (${note})`}: ${formatBothAxes(choice)}`;
}

/** What makes of a config the one that is chosen. A choice names also what stays as it is: a variant need not state what its base says. */
export function remedyOfChoice(choice: Choice, subject: Experiment, note?: string): Remedy {
  const changes = Object.entries(choice.changes)
    .map(([key, value]) => ({ kind: 'set', path: key.split('.'), value }) as const)
    .filter(({ path, value }) => valueAt(subject, path) !== value);
  return { title: choiceTitle(choice, note), changes };
}
