import type { ConfigFinding } from '../../config/configFile';
import type { PathFinding } from '../../config/pathFinding';
import type { Steps } from '../../config/steps';
import { macsOff, parametersOff } from './costOff';
import { differentTask } from './differentTask';
import { familyFindings, type FamilyInput } from './familyFindings';
import { parityCycle } from './parityCycle';
import type { ParityInput, ParityRule } from './parityRule';
import { twoMatrixParity } from './twoMatrixParity';

/** By costs and by task; of cycles `parityFindings` knows by itself. */
const rules: readonly ParityRule[] = [twoMatrixParity, macsOff, parametersOff, differentTask];

/** Every rule of this room, for lists of rules. */
export const parityRules: readonly { readonly code: string; readonly severity: ConfigFinding['severity']; readonly summary: string }[] = [
  ...rules,
  parityCycle,
];

/** What makes the comparison of a config with its baseline unfair; nothing of a config that names no baseline. */
export function parityFindings(input: ParityInput): PathFinding[] {
  const { loaded, count, baseline, residuals } = input;
  const { experiment } = loaded;
  if (experiment?.parity === undefined) return [];
  const cycle = parityCycle.check(input);
  if (count === undefined || baseline === undefined || residuals === null) return cycle;
  const comparison = { loaded, experiment, count, baseline, residuals };
  return [
    ...cycle,
    ...rules.flatMap(({ code, severity, check }) => {
      const found = check(comparison);
      return found === undefined ? [] : [{ code, severity, ...found, spots: found.spots() }];
    }),
  ];
}

/** The same of the members of its sweep, a step each: one finding a rule, beside what is found of the config itself. */
export function parityFindingsOfMembers(input: FamilyInput): Steps<readonly PathFinding[]> {
  return familyFindings(rules, input);
}
