import { resolve } from 'node:path';
import type { Causality } from '../config/causality';
import type { ConfigFinding } from '../config/configFile';
import { experimentName } from '../config/experimentName';
import { loadConfig } from '../config/loadConfig';
import { readTextFromDisk } from '../config/readTextFromDisk';
import type { ModelCount } from '../models/count';
import { compareWithBaseline } from '../parity/compareWithBaseline';
import type { ParityResiduals } from '../parity/compareWithBaseline';
import { formatResidual } from '../parity/formatCount';
import { causalityJson, causalityNotes, taggedName } from './causalityText';
import { exitCode, WrongUse } from './command';
import type { Command } from './command';
import { writeFindings } from './findings';
import { printable } from './terminal/printable';
import { textTable } from './textTable';

interface CountedFile {
  /** As given on the command line. */
  readonly file: string;
  readonly name: string;
  readonly count: ModelCount;
  readonly parity: ParityResiduals | null;
  readonly causality: Causality | undefined;
}

export const command: Command = {
  summary: 'Count the parameters and MACs of configs, and compare them with their baselines.',
  usage: 'count FILE... [--layers] [--json]',
  options: { layers: { type: 'boolean' } },
  async run({ positionals, values, stdout, stderr, cwd }) {
    if (positionals.length === 0) throw new WrongUse('Name at least one config, as in moe-lab count smoe.moe.yaml.');
    const counted: CountedFile[] = [];
    const findings: ConfigFinding[] = [];
    for (const file of positionals) {
      const config = loadConfig(resolve(cwd, file), readTextFromDisk);
      const { count, parity, causality, findings: own } = compareWithBaseline(config, readTextFromDisk);
      findings.push(...own);
      if (count) counted.push({ file, name: experimentName(file, config.experiment), count, parity, causality });
    }
    writeFindings(findings, stderr, cwd);
    if (values['json'] === true) stdout.write(`${JSON.stringify({ schemaVersion: 1, models: counted.map(asJson) })}\n`);
    else if (counted.length > 0) stdout.write(`${asText(counted, values['layers'] === true)}\n`);
    return findings.some((finding) => finding.severity === 'error') ? exitCode.findings : exitCode.done;
  },
};

/** The published form of one model; its keys are a contract with other programs. */
function asJson({ file, name, count, parity, causality }: CountedFile): object {
  return {
    file,
    name,
    parameters: count.parameters,
    activeIsUpperBound: count.activeIsUpperBound,
    macsPerToken: count.macsPerToken,
    routedMacsPerToken: count.routed,
    layers: count.layers,
    parity,
    ...causalityJson(causality),
  };
}

function asText(models: readonly CountedFile[], withLayers: boolean): string {
  const sections = [summary(models), ...(withLayers ? models.map(layerTable) : [])];
  const notes = [
    ...(models.some(({ count }) => count.activeIsUpperBound)
      ? ['≤: an upper bound, as sub-tokens of one token may meet in one expert']
      : []),
    ...models.flatMap(({ name, causality }) => causalityNotes(name, causality).map(printable)),
    'MACs are per token, forward; attention over the full context.',
  ];
  return [...sections, notes.join('\n')].join('\n\n');
}

function summary(models: readonly CountedFile[]): string {
  const heading = [
    'model',
    'parameters',
    'active',
    'MACs/token',
    'attention',
    'core',
    'ffn',
    'experts',
    'router',
    'logits',
    'against its baseline',
  ];
  const rows = models.map(({ name, count, parity, causality }) => {
    const macs = count.macsPerToken;
    const lines = [macs.total, macs.attention, macs.attentionCore, macs.ffn, macs.experts, macs.router, macs.logits];
    const active = `${count.activeIsUpperBound ? '≤ ' : ''}${grouped(count.parameters.active)}`;
    return [taggedName(name, causality), grouped(count.parameters.total), active, ...lines.map(grouped), parity ? parityText(parity) : ''];
  });
  return textTable([heading, ...rows], [false, ...Array.from({ length: 9 }, () => true), false]);
}

function parityText({ baseline, parameters, macs, macsWithRouter }: ParityResiduals): string {
  return `${formatResidual(parameters)} parameters, ${formatResidual(macs)} MACs (${formatResidual(macsWithRouter)} with router) vs ${baseline}`;
}

function layerTable({ name, count }: CountedFile): string {
  const rows = count.layers.map((layer) => [
    layer.name,
    layer.kind,
    ...[layer.parameters, layer.macsPerToken, layer.routerParameters, layer.routerMacsPerToken].map(grouped),
  ]);
  const heading = ['layer', 'kind', 'parameters', 'MACs/token', 'router parameters', 'router MACs'];
  return `${printable(name)}\n${textTable([heading, ...rows], [false, false, true, true, true, true])}`;
}

/** 109529856 -> 109,529,856 in every locale. */
function grouped(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}
