import { dirname, resolve } from 'node:path';
import type { ConfigFinding, LoadedConfig, OwnConfig, ReadText, SourceRange, SweepMember } from './configFile';
import { experimentName } from './experimentName';
import { readExtendsChain } from './extendsChain';
import type { ChainLink } from './extendsChain';
import { experimentJsonSchema } from './jsonSchema';
import { ruleSeverities } from './lintSchema';
import type { RuleSeverities } from './lintSchema';
import { isMapping } from './mapping';
import { atValue } from './pathFinding';
import type { PathFinding } from './pathFinding';
import { experimentSchema } from './schema';
import type { Experiment } from './schema';
import { schemaFindings } from './schemaFindings';
import { semanticFindings } from './semanticRules';
import { atOnce } from './steps';
import type { Steps } from './steps';
import { planSweep } from './sweep';
import type { PlannedMember, SweepPlan } from './sweep';
import { tryMembers } from './sweepMembers';
import type { Validated } from './sweepMembers';
import { removing } from './rules/remedies';
import { keepKnownKeys } from './unknownKeys';

/** A config that is read, and whose sweep is still to be tried. */
export interface ConfigBeforeSweep {
  readonly own: OwnConfig;
  /** How many members its sweep lists; 0 where there is none, or one that is not understood. */
  readonly listed: number;
  /** Tries its members, a step each. Where none are listed there is nothing to try. */
  tried(): Steps<LoadedConfig>;
}

/**
 * Reads a config and all it extends. Never throws: whatever is wrong is a finding, in the file and at the place that says it.
 * `file` is absolute. Only the configs are read, not the texts they train on.
 */
export function loadConfig(file: string, readText: ReadText): LoadedConfig {
  return atOnce(atOnce(loadBeforeSweep(file, readText)).tried());
}

/** The same in steps, the members of a sweep last: a figure of the config itself need not wait for them. */
export function* loadBeforeSweep(file: string, readText: ReadText): Steps<ConfigBeforeSweep> {
  const text = readText(file);
  if (text === undefined) {
    const message = `There is no readable file ${file} of at most 8 MiB; check the path.`;
    const findings = [{ file, range: startOfText, severity: 'error', code: 'missing-file', message } as const];
    return beforeSweep({ file, text: '', experiment: undefined, lint: {}, findings, rangeOf: () => undefined }, [], undefined);
  }
  const { links, value, findings: ofChain } = readExtendsChain(file, text, readText);
  yield;
  // Made once, and not in a moment.
  experimentJsonSchema();
  yield;
  const ofValues = value === undefined ? undefined : validateBeforeSweep(value, file, readText);
  const findings = [...ofChain, ...(ofValues?.findings ?? []).map((finding) => located(finding, links))];
  const broken = findings.some((finding) => finding.severity === 'error');
  const own: OwnConfig = {
    file,
    text,
    experiment: broken ? undefined : ofValues?.experiment,
    lint: lintOf(value),
    findings: inOrder(findings, links),
    rangeOf: (path) => links[0]?.tree.statedAt(path)?.key,
  };
  return beforeSweep(own, links, ofValues);
}

const startOfText: SourceRange = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

function beforeSweep(own: OwnConfig, links: readonly ChainLink[], validated: ValidatedBeforeSweep | undefined): ConfigBeforeSweep {
  // The same object where there is no sweep: what is known of the one is known of the other.
  const alone: LoadedConfig = { ...own, members: [] };
  return {
    own: alone,
    listed: validated?.plan.members.length ?? 0,
    *tried() {
      const tried = validated && (yield* tryPlanned(validated, own.file));
      if (tried === undefined || tried.members.length + tried.findings.length === 0) return alone;
      const findings = tried.findings.map((finding) => located(finding, links));
      return {
        ...own,
        members: tried.members.map(({ name, changes, place, places, experiment }) => ({
          name,
          changes,
          place,
          places,
          experiment: own.experiment && experiment,
          range: links[0]?.tree.statedAt(place)?.value ?? startOfText,
        })),
        findings: findings.length === 0 ? own.findings : inOrder([...own.findings, ...findings], links),
      };
    },
  };
}

interface ValidatedBeforeSweep extends Validated {
  /** The config as a value, without its sweep. */
  readonly value: unknown;
  /** Findings of the value alone, not of what is beside the file. */
  readonly ofValue: readonly PathFinding[];
  readonly plan: SweepPlan;
}

/** The config without its sweep. */
function validateBeforeSweep(stated: unknown, file: string, readText: ReadText): ValidatedBeforeSweep {
  const { sweep, value } = withoutSweep(stated);
  const { experiment, findings } = validate(value);
  return {
    value,
    experiment,
    ofValue: findings,
    findings: [...findings, ...(experiment ? missingBaseline(experiment, file, readText) : [])],
    plan: planSweep(sweep ?? undefined, value),
  };
}

interface TriedPlan {
  readonly members: readonly (PlannedMember & Pick<SweepMember, 'experiment'>)[];
  /** What is wrong with the sweep alone. */
  readonly findings: readonly PathFinding[];
}

/** The config with the changes of each member. */
function* tryPlanned({ value, experiment, ofValue, plan }: ValidatedBeforeSweep, file: string): Steps<TriedPlan> {
  const whole = experiment !== undefined && ofValue.every(({ severity }) => severity !== 'error');
  const tried = whole ? yield* tryMembers(plan.members, value, experimentName(file, experiment), warnedOf(ofValue), validate) : undefined;
  return {
    members: plan.members.map((member, index) => ({ ...member, experiment: tried?.experiments[index] })),
    findings: [...plan.findings, ...(tried?.findings ?? [])],
  };
}

function warnedOf(findings: readonly PathFinding[]): ReadonlySet<string> {
  return new Set(findings.flatMap(({ severity, code }) => (severity === 'warning' ? [code] : [])));
}

function withoutSweep(config: unknown): { readonly sweep: unknown; readonly value: unknown } {
  if (!isMapping(config)) return { sweep: undefined, value: config };
  const { sweep, ...value } = config;
  return { sweep, value };
}

function validate(value: unknown): Validated {
  const known = keepKnownKeys(experimentJsonSchema(), value);
  const parsed = experimentSchema.safeParse(known.value);
  if (!parsed.success) {
    return { experiment: undefined, findings: [...known.findings, ...schemaFindings(parsed.error, known.value, known.meant)] };
  }
  const { lint: _lint, ...experiment } = parsed.data;
  return { experiment, findings: [...known.findings, ...semanticFindings(experiment, known.value)] };
}

/** What is right of `lint`, whatever else is wrong with the config. */
function lintOf(config: unknown): RuleSeverities {
  const stated = isMapping(config) ? config['lint'] : undefined;
  if (!isMapping(stated)) return {};
  return Object.fromEntries(
    Object.entries(stated).flatMap(([code, value]) => {
      const severity = ruleSeverities.find((known) => known === value);
      return severity === undefined ? [] : [[code, severity]];
    }),
  );
}

/** Only a warning: without its baseline a model can still be counted and trained. */
function missingBaseline({ parity }: Experiment, file: string, readText: ReadText): PathFinding[] {
  if (parity === undefined || readText(resolve(dirname(file), parity)) !== undefined) return [];
  const message = `There is no readable baseline ${parity} (looked for ${resolve(dirname(file), parity)}); correct the path or remove \`parity\`.`;
  return [{ spots: [atValue('parity')], severity: 'warning', code: 'parity-missing', message, remedies: [removing(['parity'])] }];
}

/** The config itself comes first: what a variant states together with its base is the variant's finding. */
function located({ spots, ...finding }: PathFinding, links: readonly ChainLink[]): ConfigFinding {
  for (const { file, tree } of links) {
    for (const { path, part } of spots) {
      const place = tree.statedAt(path);
      if (place) return { file, range: place[part], ...finding };
    }
  }
  return { file: links[0]?.file ?? '', range: startOfText, ...finding };
}

/** By file as the chain goes, then from top to bottom. */
function inOrder(findings: readonly ConfigFinding[], links: readonly ChainLink[]): ConfigFinding[] {
  const depth = (finding: ConfigFinding): number => links.findIndex((link) => link.file === finding.file);
  return findings.toSorted(
    (a, b) => depth(a) - depth(b) || a.range.start.line - b.range.start.line || a.range.start.character - b.range.start.character,
  );
}
