import type { LoadedConfig, SourceRange, SweepMember } from '../config/configFile';
import type { Experiment } from '../config/schema';
import type { ModelCount } from '../models/count';
import { modelCost } from '../parity/closedForm/modelCost';
import { comparedResiduals, type ComparedResiduals } from '../parity/comparedPart';
import { formatAmount, formatResidual } from '../parity/formatCount';
import type { ConfigAnalysis } from './analysis';

/** What the members of a sweep cost, each against the family's baseline. No program is built for it. */

export interface FamilyRow {
  readonly name: string;
  readonly changes: Readonly<Record<string, unknown>>;
  readonly range: SourceRange;
  /** Undefined where the member has errors. */
  readonly count: ModelCount | undefined;
  /** Null where the member has errors. */
  readonly parity: ComparedResiduals | null;
}

export interface FamilyTable {
  /** What the residuals are of: the baseline as the config names it; without one the config as it is without its sweep. */
  readonly against: string;
  readonly rows: readonly FamilyRow[];
}

/** What a family is counted from. */
export type FamilyConfig = Pick<ConfigAnalysis, 'count'> & {
  readonly loaded: Pick<LoadedConfig, 'members'>;
  readonly baseline: { readonly name: string; readonly count: ModelCount } | undefined;
};

/** Undefined for a config without a sweep, or with errors of its own. */
export function familyTable({ loaded, count, baseline }: FamilyConfig): FamilyTable | undefined {
  if (loaded.members.length === 0 || count === undefined) return undefined;
  const theirs = baseline?.count ?? count;
  return { against: baseline?.name ?? 'this config', rows: loaded.members.map((member) => rowOf(member, theirs)) };
}

/** Of one member, beside what all are held against. */
function rowOf(member: SweepMember, theirs: ModelCount): FamilyRow {
  const { name, changes, range } = member;
  const count = memberCount(member);
  return { name, changes, range, count, parity: count === undefined ? null : comparedResiduals(count, theirs) };
}

/** Lenses, hovers, pages and the rules ask about the same members. */
const counts = new WeakMap<Experiment, ModelCount>();

/** What a member costs, counted when first asked for; undefined where it has errors. */
export function memberCount({ experiment }: Pick<SweepMember, 'experiment'>): ModelCount | undefined {
  return experiment && countOf(experiment);
}

function countOf(experiment: Experiment): ModelCount {
  const known = counts.get(experiment) ?? modelCost(experiment.model);
  counts.set(experiment, known);
  return known;
}

const columns = ['parameters', 'active', 'MACs/token', 'residual MACs', 'with router', 'residual parameters', 'with router'] as const;

/** Every member with its costs and all four residuals, as a table in Markdown. */
export function familyMarkdown(table: FamilyTable): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const rows = table.rows.map((row, index) =>
    line([String(index + 1), `\`${row.name.replaceAll('`', "'")}\``, ...figuresOf(row).map(unbroken)]),
  );
  return [
    line(['', 'member', ...columns]),
    line(['--:', ':--', ...columns.map(() => '--:')]),
    ...rows,
    '',
    `Residuals are of the part that differs, against ${table.against}.`,
  ].join('\n');
}

/** A hover is narrow: a figure and its unit stay together. */
function unbroken(figure: string): string {
  return figure.replaceAll(' ', '\u00a0');
}

/** The same as cells of text, for terminals and plain documents: a heading, then a row for each member. */
export function familyCells(table: FamilyTable): readonly (readonly string[])[] {
  return [['member', ...columns], ...table.rows.map((row, index) => [`${index + 1}  ${row.name}`, ...figuresOf(row)])];
}

function figuresOf({ count, parity }: FamilyRow): readonly string[] {
  if (count === undefined || parity === null) return columns.map(() => '-');
  const { parameters, macsPerToken, activeIsUpperBound } = count;
  return [
    formatAmount(parameters.total),
    `${activeIsUpperBound ? '≤ ' : ''}${formatAmount(parameters.active)}`,
    formatAmount(macsPerToken.total),
    formatResidual(parity.macs),
    formatResidual(parity.macsWithRouter),
    formatResidual(parity.parameters),
    formatResidual(parity.parametersWithRouter),
  ];
}

/**
 * `6 members: 12.10 M to 13.91 M parameters, 6.144 M MACs/token; vs smoe.moe.yaml: MACs 0.00 % to +1.43 %, parameters −3.13 % to +3.12 %,
 * with router`.
 */
export function familySentence({ rows, against }: FamilyTable): string {
  const counted = rows.flatMap(({ count, parity }) => (count === undefined || parity === null ? [] : [{ count, parity }]));
  const members = `${rows.length} ${rows.length === 1 ? 'member' : 'members'}`;
  const broken = rows.length - counted.length;
  const errors = broken === 0 ? '' : `, ${broken} with errors`;
  if (counted.length === 0) return `${members}${errors}`;
  const range = (figures: readonly number[], format: (figure: number) => string): string => {
    const [least, most] = [format(Math.min(...figures)), format(Math.max(...figures))];
    return least === most ? least : `${least} to ${most}`;
  };
  const parameters = range(
    counted.map(({ count }) => count.parameters.total),
    formatAmount,
  );
  const macs = range(
    counted.map(({ count }) => count.macsPerToken.total),
    formatAmount,
  );
  const residuals = (['macsWithRouter', 'parametersWithRouter'] as const).map((figure) =>
    range(
      counted.map(({ parity }) => parity[figure]),
      (fraction) => formatResidual(fraction),
    ),
  );
  return `${members}${errors}: ${parameters} parameters, ${macs} MACs/token; vs ${against}: ${residuals[0] ?? ''} MACs, ${residuals[1] ?? ''} parameters (with router)`;
}

/** The family as other programs read it; residuals as fractions of the baseline's. */
export function familyJson({ against, rows }: FamilyTable): object {
  return {
    against,
    members: rows.map(({ name, changes, count, parity }) => ({
      name,
      changes,
      parameters: count?.parameters.total ?? null,
      activeParameters: count?.parameters.active ?? null,
      macsPerToken: count?.macsPerToken.total ?? null,
      parity,
    })),
  };
}
