import type { OwnConfig, SweepMember } from '../../config/configFile';
import { atKey, type PathFinding, type Spot } from '../../config/pathFinding';
import type { Steps } from '../../config/steps';
import type { ModelCount } from '../../models/count';
import { residuals } from '../compareWithBaseline';
import { formatResidual } from '../formatCount';
import type { Comparison, ParityBaseline, ParityFinding, ParityRule } from './parityRule';
import { withoutMembers } from './withoutMembers';

/** A family of experiments beside the baseline of all. */
export interface FamilyInput {
  readonly loaded: Pick<OwnConfig, 'file' | 'experiment' | 'rangeOf'>;
  /** Of the config as it is without its sweep. */
  readonly count: ModelCount;
  readonly baseline: ParityBaseline;
  readonly members: readonly SweepMember[];
  /** What a member costs; undefined where it has errors. */
  countOf(member: SweepMember): ModelCount | undefined;
}

/** A member that a rule finds something of. */
interface FoundMember {
  readonly member: SweepMember;
  readonly comparison: Comparison;
  readonly found: ParityFinding;
}

/**
 * What rules find of the members of a sweep, each beside the baseline: one finding a rule, at the key of the sweep that the worst of them
 * owes it to. What the config itself has already been told is not said again where every member that has it has just that.
 */
export function* familyFindings(rules: readonly ParityRule[], input: FamilyInput): Steps<readonly PathFinding[]> {
  const { loaded, baseline, members } = input;
  const { experiment } = loaded;
  const found = new Map<ParityRule, FoundMember[]>(rules.map((rule) => [rule, []]));
  for (const member of members) {
    const comparison = comparisonOf(member, input);
    if (comparison === undefined) continue;
    for (const [rule, ofRule] of found) {
      const one = rule.check(comparison);
      if (one !== undefined) ofRule.push({ member, comparison, found: one });
    }
    yield;
  }
  if (experiment === undefined) return [];
  const itself = { loaded, experiment, count: input.count, baseline, residuals: residuals(baseline.name, input.count, baseline.count) };
  return [...found].flatMap(([rule, ofRule]) => {
    const said = rule.check(itself)?.message;
    return ofRule.every(({ found: { message } }) => message === said) ? [] : [findingOf(rule, ofRule, input)];
  });
}

function comparisonOf(member: SweepMember, { loaded, baseline, countOf }: FamilyInput): Comparison | undefined {
  const { experiment, changes } = member;
  const count = countOf(member);
  if (experiment === undefined || count === undefined) return undefined;
  return {
    // Of all that the file states only what the sweep does can be the cause.
    loaded: { file: loaded.file, experiment, rangeOf: (path) => (sweptKey(path, member) === undefined ? undefined : member.range) },
    experiment,
    count,
    baseline,
    residuals: residuals(baseline.name, count, baseline.count),
    changes,
  };
}

function findingOf(rule: ParityRule, all: readonly FoundMember[], { baseline, members }: FamilyInput): PathFinding {
  const severityOf = ({ found }: FoundMember): PathFinding['severity'] => found.severity ?? rule.severity;
  const warned = all.filter((one) => severityOf(one) !== 'information');
  // Who is equal in one way of counting is not worth a word beside those that are equal in none.
  const severest = warned.length > 0 ? warned : all;
  const worst = severest.reduce((one, other) => (offBy(rule, other) > offBy(rule, one) ? other : one));
  const [verb, whose] = severest.length === 1 ? ['differs', ':'] : ['differ', rule.deviation === undefined ? '; first:' : '; worst:'];
  const which = `${severest.length} of ${members.length} members ${verb} from ${baseline.name} ${rule.differsIn}${whose} ${worst.member.name}`;
  return {
    code: rule.code,
    severity: severityOf(worst),
    ofMembers: true,
    spots: spotsOf(worst),
    message: `${which}${rule.deviation === undefined ? '' : `, ${residualsText(worst)}`}. ${worst.found.message}`,
    remedies: withoutMembers(
      all.map(({ member }) => member),
      members,
    ),
  };
}

function offBy(rule: ParityRule, { comparison }: FoundMember): number {
  return rule.deviation?.(comparison.residuals) ?? 0;
}

/** Both axes, as the table of the family has them. */
function residualsText({ comparison: { residuals: of } }: FoundMember): string {
  const { macsWithRouter, parametersWithRouter } = of.compared;
  return `${formatResidual(macsWithRouter)} MACs, ${formatResidual(parametersWithRouter)} parameters`;
}

/** At the key of the sweep that the finding is about, else at the sweep. */
function spotsOf({ member, found }: FoundMember): readonly Spot[] {
  const [only, ...others] = Object.keys(member.changes);
  const key =
    found
      .spots()
      .map(({ path }) => sweptKey(path, member))
      .find((swept) => swept !== undefined) ??
    // Such as a section that it takes away, none of whose sizes is left to be named.
    (others.length === 0 ? only : undefined);
  const place = key === undefined ? undefined : member.places[key];
  // In a mapping the key stands above its values; in a list it is one of the member's own.
  const ofKey = place === undefined ? [] : typeof place[1] === 'number' ? [atKey(...place)] : [atKey(...place.slice(0, 2))];
  return [...ofKey, atKey('sweep')];
}

/** The dotted key by which a member changes what stands at a path: that path itself, what is above it, or a part of it. */
function sweptKey(path: readonly (string | number)[], { changes }: SweepMember): string | undefined {
  const dotted = path.join('.');
  return Object.keys(changes).find((key) => key === dotted || dotted.startsWith(`${key}.`) || key.startsWith(`${dotted}.`));
}
