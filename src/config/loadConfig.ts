import { dirname, resolve } from 'node:path';
import type { ConfigFinding, LoadedConfig, ReadText, SourceRange } from './configFile';
import { readExtendsChain } from './extendsChain';
import type { ChainLink } from './extendsChain';
import { experimentJsonSchema } from './jsonSchema';
import { atValue } from './pathFinding';
import type { PathFinding } from './pathFinding';
import { experimentSchema } from './schema';
import type { Experiment } from './schema';
import { schemaFindings } from './schemaFindings';
import { semanticFindings } from './semanticRules';
import { keepKnownKeys } from './unknownKeys';

/**
 * Reads a config and all it extends. Never throws: whatever is wrong is a finding, in the file and at the place that says it.
 * `file` is absolute. Only the configs are read, not the texts they train on.
 */
export function loadConfig(file: string, readText: ReadText): LoadedConfig {
  const text = readText(file);
  if (text === undefined) {
    const message = `There is no readable file ${file}; check the path.`;
    return {
      file,
      text: '',
      experiment: undefined,
      findings: [{ file, range: startOfText, severity: 'error', code: 'missing-file', message }],
      rangeOf: () => undefined,
    };
  }
  const chain = readExtendsChain(file, text, readText);
  const { experiment, findings: ofValues } =
    chain.value === undefined ? { experiment: undefined, findings: [] } : validate(chain.value, file, readText);
  const findings = [...chain.findings, ...ofValues.map((finding) => located(finding, chain.links))];
  return {
    file,
    text,
    experiment: findings.some((finding) => finding.severity === 'error') ? undefined : experiment,
    findings: inOrder(findings, chain.links),
    rangeOf: (path) => chain.links[0]?.tree.statedAt(path)?.key,
  };
}

const startOfText: SourceRange = { start: { line: 0, character: 0 }, end: { line: 0, character: 0 } };

function validate(value: unknown, file: string, readText: ReadText): { experiment: Experiment | undefined; findings: PathFinding[] } {
  const known = keepKnownKeys(experimentJsonSchema(), value);
  const parsed = experimentSchema.safeParse(known.value);
  if (!parsed.success) {
    return { experiment: undefined, findings: [...known.findings, ...schemaFindings(parsed.error, known.value, known.meant)] };
  }
  const findings = [...known.findings, ...semanticFindings(parsed.data, known.value), ...missingBaseline(parsed.data, file, readText)];
  return { experiment: parsed.data, findings };
}

/** Only a warning: without its baseline a model can still be counted and trained. */
function missingBaseline({ parity }: Experiment, file: string, readText: ReadText): PathFinding[] {
  if (parity === undefined || readText(resolve(dirname(file), parity)) !== undefined) return [];
  const message = `There is no readable baseline ${parity} (looked for ${resolve(dirname(file), parity)}); correct the path or remove \`parity\`.`;
  return [{ spots: [atValue('parity')], severity: 'warning', code: 'parity-missing', message }];
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
