import type { ConfigFinding } from '../config/configFile';
import type { Remedy } from '../config/remedy';
import { costLimits, type ComparedResiduals } from '../parity/comparedPart';
import { remedyOfChoice } from '../parity/solver/choiceText';
import type { Choice } from '../parity/solver/solve';
import type { ConfigAnalysis } from './analysis';
import type { SolvedSizes } from './solvedSizes';

/** As many of the solver's choices as a menu may hold. */
const OFFERED = 3;

/** Without what chooses experts and with it, as the rules judge. */
const isEven = {
  macs: ({ macs, macsWithRouter }: ComparedResiduals) => Math.max(Math.abs(macs), Math.abs(macsWithRouter)) <= costLimits.macs,
  parameters: ({ parameters, parametersWithRouter }: ComparedResiduals) =>
    Math.max(Math.abs(parameters), Math.abs(parametersWithRouter)) <= costLimits.parameters,
} as const;

/** Which axis a finding is about that a solved size mends. */
const axisOf: Readonly<Record<string, keyof typeof isEven>> = {
  'macs-off-parity': 'macs',
  'two-matrix-parity': 'macs',
  'parameters-off-parity': 'parameters',
};

/**
 * The solver's choices that mend a finding about costs without paying for it on the other axis, each with its residuals; none for other findings. Where both
 * axes cannot be had, as of a dense model beside a sparse one, those that mend this one, if the other is off already and the finding does not say that it has
 * to be so.
 */
export function solvedRemedies(
  finding: ConfigFinding,
  { file, loaded, baseline, parity }: ConfigAnalysis,
  sizes: SolvedSizes,
): readonly Remedy[] {
  const axis = Object.hasOwn(axisOf, finding.code) ? axisOf[finding.code] : undefined;
  const { experiment } = loaded;
  if (axis === undefined || finding.file !== file) return [];
  if (experiment === undefined || baseline === undefined || parity === null) return [];
  const other = axis === 'macs' ? 'parameters' : 'macs';
  const mending = (target: 'both' | typeof axis): readonly Choice[] =>
    sizes.of(experiment, baseline.experiment, target).filter((choice) => isEven[axis](choice));
  const both = mending('both').filter((choice) => isEven[other](choice) || Math.abs(choice[other]) <= Math.abs(parity.compared[other]));
  const isExplained = finding.severity === 'information' || isEven[other](parity.compared);
  const choices = both.length > 0 || isExplained ? both : mending(axis);
  return choices
    .slice(0, OFFERED)
    .map((choice) => remedyOfChoice(choice, experiment))
    .filter(({ changes }) => changes.length > 0);
}
