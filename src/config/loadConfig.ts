import { dirname, resolve } from 'node:path';
import type { ConfigFinding, LoadedConfig, ReadText, SourceRange, SweepMember } from './configFile';
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
import { planSweep } from './sweep';
import type { PlannedMember } from './sweep';
import { tryMembers } from './sweepMembers';
import type { Validated } from './sweepMembers';
import { removing } from './rules/remedies';
import { keepKnownKeys } from './unknownKeys';

/**
 * Reads a config and all it extends. Never throws: whatever is wrong is a finding, in the file and at the place that says it.
 * `file` is absolute. Only the configs are read, not the texts they train on.
 */
export function loadConfig(file: string, readText: ReadText): LoadedConfig {
  const text = readText(file);
  if (text === undefined) {
    const message = `There is no readable file ${file} of at most 8 MiB; check the path.`;
    return {
      file,
      text: '',
      experiment: undefined,
      members: [],
      lint: {},
      findings: [{ file, range: startOfText, severity: 'error', code: 'missing-file', message }],
      rangeOf: () => undefined,
    };
  }
  const chain = readExtendsChain(file, text, readText);
  const top = chain.links[0]?.tree;
  const ofValues = chain.value === undefined ? undefined : validateFamily(chain.value, file, readText);
  const findings = [...chain.findings, ...(ofValues?.findings ?? []).map((finding) => located(finding, chain.links))];
  const ofSweep = (ofValues?.ofSweep ?? []).map((finding) => located(finding, chain.links));
  const broken = findings.some((finding) => finding.severity === 'error');
  return {
    file,
    text,
    experiment: broken ? undefined : ofValues?.experiment,
    members: (ofValues?.members ?? []).map(({ name, changes, place, experiment }) => ({
      name,
      changes,
      experiment: broken ? undefined : experiment,
      range: top?.statedAt(place)?.value ?? startOfText,
    })),
    lint: lintOf(chain.value),
    findings: inOrder([...findings, ...ofSweep], chain.links),
    rangeOf: (path) => top?.statedAt(path)?.key,
  };
}

const startOfText: SourceRange = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

interface ValidatedFamily extends Validated {
  readonly members: readonly (PlannedMember & Pick<SweepMember, 'experiment'>)[];
  /** What is wrong with the sweep alone. */
  readonly ofSweep: readonly PathFinding[];
}

/** The config without its sweep, then with the changes of each member. */
function validateFamily(value: unknown, file: string, readText: ReadText): ValidatedFamily {
  const { sweep, value: own } = withoutSweep(value);
  const { experiment, findings } = validate(own);
  const plan = planSweep(sweep ?? undefined, own);
  const whole = experiment !== undefined && findings.every(({ severity }) => severity !== 'error');
  const tried = whole ? tryMembers(plan.members, own, experimentName(file, experiment), warnedOf(findings), validate) : undefined;
  return {
    experiment,
    findings: [...findings, ...(experiment ? missingBaseline(experiment, file, readText) : [])],
    members: plan.members.map((member, index) => ({ ...member, experiment: tried?.experiments[index] })),
    ofSweep: [...plan.findings, ...(tried?.findings ?? [])],
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
