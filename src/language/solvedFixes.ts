import type { ConfigFix } from '../config/configFile';
import { fixesOf } from '../config/fixes';
import type { Remedy } from '../config/remedy';
import { formatResidual } from '../parity/formatCount';
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
  const remedies = choices.filter(isMended).slice(0, OFFERED).map(remedyOf);
  return fixesOf({ ...finding, remedies }, text);
}

/** `expert_width 768, experts 41: MACs 0.00 %, parameters -0.78 % (1.29 % with router)`. */
function remedyOf({ changes, macs, parameters, parametersWithRouter }: Choice): Remedy {
  const sizes = Object.entries(changes).map(([key, value]) => `${key.split('.').at(-1) ?? key} ${value}`);
  const residuals = `MACs ${formatResidual(macs)}, parameters ${formatResidual(parameters)} (${formatResidual(parametersWithRouter)} with router)`;
  return {
    title: `${sizes.join(', ')}: ${residuals}`,
    changes: Object.entries(changes).map(([key, value]) => ({ kind: 'set', path: key.split('.'), value })),
  };
}
