import type { Experiment } from '../../config/schema';
import { evenness, type Evenness } from '../evenness';
import { isSparse } from '../sparsity';
import { choiceTitle } from './choiceText';
import { solve, type Choice, type SolveOptions } from './solve';

/**
 * Whether whole numbers can make both MACs and parameters equal, within the limits of the rules, and what comes the closest on each axis
 * where they cannot.
 */
export interface Reach {
  /** Counted without what chooses experts, with it, and either way by the same sizes. */
  readonly equal: { readonly withoutRouter: boolean; readonly withRouter: boolean; readonly atOnce: boolean };
  /**
   * On each axis, and of those that are equal on both by one way of counting. Empty where both are equal at once; without what no sizes
   * reach, or the sizes that may change do not govern.
   */
  readonly closest: { readonly macs?: Choice; readonly parameters?: Choice; readonly withoutRouter?: Choice; readonly withRouter?: Choice };
}

/** Takes a few solutions where both cannot be had, so it is for who asks, not for every keystroke. */
export function reachOf(subject: Experiment, baseline: Experiment, options: Pick<SolveOptions, 'keys'> = {}): Reach {
  const usual = solve(subject, baseline, options);
  if (usual.choices.some((choice) => isEqual(choice, 'both ways')))
    return { equal: { withoutRouter: true, withRouter: true, atOnce: true }, closest: {} };
  const choices = [...usual.choices, ...solve(subject, baseline, { ...options, withRouter: !usual.withRouter }).choices];
  const reached = (even: Evenness): Choice | undefined => choices.find((choice) => isEqual(choice, even));
  const [withoutRouter, withRouter, atOnce] = [reached('without router'), reached('with router'), reached('both ways')];
  const [macs] = solve(subject, baseline, { ...options, target: 'macs', limit: 1 }).choices;
  const [parameters] = solve(subject, baseline, { ...options, target: 'parameters', limit: 1 }).choices;
  return {
    equal: { withoutRouter: withoutRouter !== undefined, withRouter: withRouter !== undefined, atOnce: atOnce !== undefined },
    closest: {
      ...(withoutRouter && { withoutRouter }),
      ...(withRouter && { withRouter }),
      ...(macs && { macs }),
      ...(parameters && { parameters }),
    },
  };
}

/** On both axes, counted so at least. */
function isEqual(choice: Choice, even: Evenness): boolean {
  return (['macs', 'parameters'] as const).every((axis) => [even, 'both ways'].includes(evenness(choice, axis)));
}

/** A line each; none where both can be had. */
export function reachText({ equal, closest }: Reach, subject: Experiment, baseline: Experiment): readonly string[] {
  if (equal.atOnce) return [];
  const isOneDense = isSparse(subject.model) !== isSparse(baseline.model);
  const line = (what: string, choice: Choice | undefined): readonly string[] =>
    choice === undefined ? [] : [`${what}: ${choiceTitle(choice)}`];
  return [
    `${sentence(equal)}${isOneDense ? ' One of both is dense; the other uses a part of its parameters for each token.' : ''}`,
    ...line('Equal without router', closest.withoutRouter),
    ...line('Equal with router', closest.withRouter),
    ...line('Closest in MACs', closest.macs),
    ...line('Closest in parameters', closest.parameters),
  ];
}

function sentence({ withoutRouter, withRouter }: Reach['equal']): string {
  if (!withoutRouter && !withRouter) return 'No sizes make both MACs and parameters equal.';
  const counts =
    withoutRouter && withRouter
      ? 'without what chooses experts or with it, not both'
      : `only ${withRouter ? 'with' : 'without'} what chooses experts`;
  return `MACs and parameters can be equal ${counts}.`;
}
