import type { ConfigFinding } from '../config/configFile';
import type { Remedy } from '../config/remedy';
import type { Experiment } from '../config/schema';
import { bothCounts, evenness, type Evenness, type Residuals } from '../parity/evenness';
import { remedyOfChoice } from '../parity/solver/choiceText';
import type { Axis } from '../parity/solver/equations';
import { kindKeys } from '../parity/solver/knobs';
import type { Choice, ParityTarget } from '../parity/solver/solve';
import { isSparse } from '../parity/sparsity';
import type { ConfigAnalysis } from './analysis';
import type { SolvedSizes } from './solvedSizes';

/** As many of the solver's choices as a menu may hold. */
const OFFERED = 3;

/** Which axis a finding is about that a solved size mends. */
const axisOf: Readonly<Record<string, Axis>> = {
  'macs-off-parity': 'macs',
  'two-matrix-parity': 'macs',
  'parameters-off-parity': 'parameters',
};

/**
 * Models that can be equal by one way of counting only: that without what chooses experts first, as papers count (2411.16205 Eq. 6 to 10).
 */
const oneWay = [
  { even: 'without router', withRouter: false },
  { even: 'with router', withRouter: true },
] as const satisfies readonly { readonly even: Evenness; readonly withRouter: boolean }[];

/** What sizes are solved for. */
interface Comparison {
  readonly subject: Experiment;
  readonly baseline: Experiment;
  readonly axis: Axis;
  readonly other: Axis;
  /** How far both are from each other. */
  readonly now: Residuals;
  readonly sizes: SolvedSizes;
}

/**
 * The solver's choices that mend a finding about costs without paying for it on the other axis, each with its residuals; none for other
 * findings. What one leaves is, in this order:
 *
 * - models that are equal on the axis of the finding, counted either way: it is gone;
 * - where none of those keeps heads, top_k and their like, as of a narrow MH-MoE whose router is dear, also models that are equal in MACs without the router, or with
 *   it, the best of each, with a title that says so: a warning becomes the information which of both they are. Of that information they are no fix;
 * - where both axes cannot be had, as of a dense model beside a sparse one, models that are equal on this one alone, if the other is off already and the finding does
 *   not say that it has to be so.
 */
export function solvedRemedies(
  finding: ConfigFinding,
  { file, loaded, baseline, parity }: ConfigAnalysis,
  sizes: SolvedSizes,
): readonly Remedy[] {
  const axis = Object.hasOwn(axisOf, finding.code) ? axisOf[finding.code] : undefined;
  const { experiment } = loaded;
  if (axis === undefined || finding.file !== file || finding.ofMembers === true) return [];
  if (experiment === undefined || baseline === undefined || parity === null) return [];
  const now = parity.compared;
  const other = axis === 'macs' ? 'parameters' : 'macs';
  const comparison: Comparison = { subject: experiment, baseline: baseline.experiment, axis, other, now, sizes };
  const mayFall = axis === 'macs' && finding.severity !== 'information' && evenness(now, axis) === 'neither';
  for (const target of targetsFor(finding, comparison)) {
    const mending = solved(comparison, target, 'both ways').slice(0, OFFERED);
    const reducing = mayFall && !mending.some(keepsKind) ? reducingChoices(comparison, target) : [];
    const choices = [...mending, ...reducing.filter((choice) => mending.length === 0 || keepsKind(choice))];
    if (choices.length > 0) return remedies(choices, comparison);
  }
  return [];
}

/** What sizes are solved for, one after the other until something is found. */
function targetsFor({ severity }: ConfigFinding, { subject, baseline, axis, other, now }: Comparison): readonly ParityTarget[] {
  if (severity === 'information' || evenness(now, other) === 'both ways') return ['both'];
  // As many parameters as a dense model has would leave a sparse one hardly any experts.
  return isSparse(subject.model) === isSparse(baseline.model) ? ['both', axis] : [axis, 'both'];
}

/** Equal in MACs without the router, and with it: the best of each, where there is one. */
function reducingChoices(comparison: Comparison, target: ParityTarget): readonly Choice[] {
  return oneWay.flatMap(({ even, withRouter }) => solved(comparison, target, even, withRouter).slice(0, 1));
}

/**
 * Choices that are equal so on the axis of the finding, in the order in which a menu has them: where both axes are sought those that do not
 * pay for it on the other one.
 */
function solved(
  { subject, baseline, axis, other, now, sizes }: Comparison,
  target: ParityTarget,
  even: Evenness,
  withRouter?: boolean,
): readonly Choice[] {
  const isNoDearer = (choice: Choice): boolean =>
    evenness(choice, other) === 'both ways' || farthest(choice, other) <= farthest(now, other);
  const found = sizes
    .of(subject, baseline, target, withRouter)
    .filter((choice) => evenness(choice, axis) === even && (target !== 'both' || isNoDearer(choice)));
  // The solver's order where nothing is told apart: sorting is stable.
  return found.toSorted((one, next) => {
    const [a, b] = [standing(one, other), standing(next, other)];
    const differing = a.findIndex((value, index) => value !== b[index]);
    return (a[differing] ?? 0) - (b[differing] ?? 0);
  });
}

/**
 * What choices that mend an axis are told apart by, less is better: that they leave a warning about the other one; how many of heads, top_k
 * and their like change; that they leave an information. In very small models, where whole numbers are seldom within 1 % of what is sought,
 * the solver's own order has these the other way round.
 */
function standing(choice: Choice, other: Axis): readonly number[] {
  const even = evenness(choice, other);
  const isWarned = other === 'macs' ? even === 'neither' : even !== 'both ways';
  const kinds = Object.keys(choice.changes).filter((key) => kindKeys.has(key)).length;
  return [isWarned ? 1 : 0, kinds, even === 'both ways' ? 0 : 1];
}

function keepsKind({ changes }: Choice): boolean {
  return Object.keys(changes).every((key) => !kindKeys.has(key));
}

/** By which count it is the farthest from equal, without or with what chooses experts. */
function farthest(residuals: Residuals, axis: Axis): number {
  return Math.max(...bothCounts(residuals, axis).map(Math.abs));
}

function remedies(choices: readonly Choice[], { subject, axis }: Comparison): readonly Remedy[] {
  return choices
    .map((choice) => {
      const even = evenness(choice, axis);
      return remedyOfChoice(choice, subject, even === 'both ways' ? undefined : `equal only ${even}`);
    })
    .filter(({ changes }) => changes.length > 0);
}
