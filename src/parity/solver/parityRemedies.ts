import type { Remedy } from '../../config/remedy';
import type { Experiment } from '../../config/schema';
import { choiceTitle, remedyOfChoice } from './choiceText';
import type { Choice, ParityTarget } from './solve';
import { evaluateChoice, solve } from './solve';

/** As many of the choices for each target as a menu of fixes holds. */
const offered: Readonly<Record<ParityTarget, number>> = { both: 3, macs: 1, parameters: 1 };

/** Of so many, best first, those are taken that make the residuals smaller. */
const considered = 8;

/**
 * What brings a model nearer to its baseline: the best choices for both residuals, for MACs alone and for parameters alone, each once. None that is no nearer than
 * the model already is.
 */
export function remediesForParity(subject: Experiment, baseline: Experiment, targets = Object.keys(offered)): readonly Remedy[] {
  const now = evaluateChoice(subject, baseline, {});
  const choices = (['both', 'macs', 'parameters'] as const)
    .filter((target) => targets.includes(target))
    .flatMap((target) =>
      solve(subject, baseline, { target, limit: considered })
        .choices.filter((choice) => worst(choice, target) < worst(now, target))
        .slice(0, offered[target]),
    );
  return [...new Map(choices.map((choice) => [choiceTitle(choice), remedyOfChoice(choice)])).values()];
}

function worst({ macs, macsWithRouter, parameters, parametersWithRouter }: Choice, target: ParityTarget): number {
  const figures = {
    macs: [macs, macsWithRouter],
    parameters: [parameters, parametersWithRouter],
    both: [macs, macsWithRouter, parameters, parametersWithRouter],
  };
  return Math.max(...figures[target].map(Math.abs));
}
