import type { ConfigFix } from '../config/configFile';
import { fixesOf } from '../config/fixes';
import { remedyOfChoice } from '../parity/solver/choiceText';
import { solve, type Choice } from '../parity/solver/solve';
import type { ConfigFinding } from '../config/configFile';
import type { ConfigAnalysis } from './analysis';

/** As many of the solver's choices as a menu may hold. */
const OFFERED = 3;
/** Of so many that are looked at, best first. */
const LOOKED_AT = 12;

/** What findings a solved size mends, and when it does: the limits of `parity/rules/costOff.ts`. */
const mends: Readonly<Record<string, (choice: Choice) => boolean>> = {
  'macs-off-parity': evenMacs,
  'two-matrix-parity': evenMacs,
  'parameters-off-parity': ({ parameters, parametersWithRouter }) => Math.max(Math.abs(parameters), Math.abs(parametersWithRouter)) <= 0.05,
};

function evenMacs({ macs, macsWithRouter }: Choice): boolean {
  return Math.max(Math.abs(macs), Math.abs(macsWithRouter)) <= 0.02;
}

/** The solver's choices that mend a finding about costs, each with its residuals; none for other findings. */
export function solvedFixes(finding: ConfigFinding, { file, text, loaded, baseline }: ConfigAnalysis): readonly ConfigFix[] {
  const isMended = Object.hasOwn(mends, finding.code) ? mends[finding.code] : undefined;
  if (isMended === undefined || finding.file !== file || loaded.experiment === undefined || baseline === undefined) return [];
  const { choices } = solve(loaded.experiment, baseline.experiment, { limit: LOOKED_AT });
  const remedies = choices.filter(isMended).slice(0, OFFERED).map(remedyOfChoice);
  return fixesOf({ ...finding, remedies }, text);
}
