import { choicesVary } from '../../config/moeShape';
import type { Experiment } from '../../config/schema';
import type { ModelCount, RoutedMacs } from '../../models/count';
import { attentionCostRows } from '../../parity/attentionCostRows';
import { attentionCosts } from '../../parity/attentionCosts';
import { comparedNames, type ComparedResiduals } from '../../parity/comparedPart';
import type { CountedConfig } from '../../parity/compareWithBaseline';
import { formatChoices, formatResidual } from '../../parity/formatCount';
import { familyCells, type FamilyTable } from '../../language/familyTable';
import { bytesText } from '../../worker/bytesText';
import type { RunNeeds } from '../../worker/runNeeds';

/** What a report is about besides the count: the experiment that was counted, and what training it takes, where it can be trained. */
export interface CountSubject {
  readonly experiment: Experiment | undefined;
  readonly needs: RunNeeds | null;
  /** Of a config with a sweep. */
  readonly family?: FamilyTable | undefined;
}

/** All figures of a count, in full, as text. `name` is the file's. */
export function countReport(
  name: string,
  { count, parity, causality, findings }: CountedConfig,
  { experiment, needs, family }: CountSubject,
): string {
  if (count === undefined || experiment === undefined) {
    const errors = findings.filter(({ severity }) => severity === 'error').map(({ message }) => `- ${message}`);
    return [`${name} is not counted.`, '', ...errors, ''].join('\n');
  }
  const { parameters, macsPerToken } = count;
  const sections = [
    name,
    section('Parameters', [
      ['total', digits(parameters.total)],
      [count.activeIsUpperBound ? 'active (at most)' : 'active', digits(parameters.active)],
      ...withoutZeros([
        [parameters.output === 0 ? 'embedding, tied' : 'embedding', parameters.embedding],
        ['output', parameters.output],
        ['attention projections', parameters.attention],
        ['relative positions', parameters.position],
        ['feed-forward, not routed', parameters.ffn],
        ...routedParts(parameters),
        ['routers and selections', parameters.router],
        ['norms', parameters.norm],
      ]),
    ]),
    section('MACs per token, forward', [
      ['total', digits(macsPerToken.total)],
      ['attention projections', digits(macsPerToken.attention)],
      ['attention core, full context', digits(macsPerToken.attentionCore)],
      ...withoutZeros([['relative positions', macsPerToken.position]]),
      ['feed-forward, not routed', digits(macsPerToken.ffn)],
      ['routed layers, without routers', digits(macsPerToken.experts)],
      ['routers and selections', digits(macsPerToken.router)],
      ['logits', digits(macsPerToken.logits)],
    ]),
    layerTable(count),
    ...(macsPerToken.experts === 0 ? [] : [section('MACs per token of the routed layers', withoutZeros(routedParts(count.routed)))]),
  ];
  if (parity) {
    sections.push(
      section(`Against ${parity.baseline}`, [
        ['parameters, without routers', formatResidual(parity.parametersWithoutRouter)],
        ['parameters, with routers', formatResidual(parity.parameters)],
        ['MACs, without routers', formatResidual(parity.macs)],
        ['MACs, with routers', formatResidual(parity.macsWithRouter)],
        ...comparedRows(parity.compared),
        ...(parity.attention === undefined || parity.compared.scope === 'attention'
          ? []
          : [
              ['attention parameters, without selections', formatResidual(parity.attention.parameters)],
              ['attention MACs, without selections', formatResidual(parity.attention.macs)],
            ]),
      ]),
    );
  }
  if (family)
    sections.push(`Members of the sweep, residuals of the part that differs against ${family.against}\n${aligned(familyCells(family), 1)}`);
  sections.push(...attentionPart(count, experiment), ...varyingPart(count, experiment), ...needsPart(needs));
  sections.push(...(causality?.reasons.map(({ reason }) => reason) ?? []));
  sections.push('1 MAC is one multiply-add of a matrix product.');
  return `${sections.join('\n\n')}\n`;
}

/** Of the part that differs, as papers print it; nothing where that is the whole model. */
function comparedRows({ scope, ...compared }: ComparedResiduals): [string, string][] {
  if (scope === 'model') return [];
  const of = `of ${comparedNames[scope]}`;
  return [
    [`parameters ${of}, without routers`, formatResidual(compared.parameters)],
    [`parameters ${of}, with routers`, formatResidual(compared.parametersWithRouter)],
    [`MACs ${of}, without routers`, formatResidual(compared.macs)],
    [`MACs ${of}, with routers`, formatResidual(compared.macsWithRouter)],
  ];
}

/** SwitchHead's attention counted three ways; nothing for attention without experts. */
function attentionPart(count: ModelCount, { model }: Experiment): string[] {
  if (model.attention.moe === undefined) return [];
  const rows = attentionCostRows(attentionCosts(count, model)).map(({ source, macs, withSelections, floats }) => [
    source,
    digits(macs),
    withSelections === null ? '' : digits(withSelections),
    floats === null ? '' : digits(floats),
  ]);
  return [aligned([[`Attention of one layer, ${model.context} tokens`, 'MACs', 'with selections', 'floats kept'], ...rows], 1)];
}

function varyingPart({ layers }: ModelCount, { model }: Experiment): string[] {
  const { moe } = model;
  if (moe === undefined || !choicesVary(moe)) return [];
  const each = layers.reduce((sum, layer) => sum + layer.macsPerChoice, 0);
  return [`Units take ${formatChoices(model, moe)}, counted at ${moe.top_k}: one more on average costs ${digits(each)} MACs per token.`];
}

function needsPart(needs: RunNeeds | null): string[] {
  if (needs === null) return [];
  const { memory, disk } = needs;
  const onDevice = memory.device > 0;
  const parts = memory.parts
    .filter(({ host, device }) => host + device > 0)
    .toSorted((one, other) => other.host + other.device - one.host - one.device);
  return [
    // What it is comes last: some of it is long.
    `To train it, memory${onDevice ? ', and on the device,' : ''} of about\n${aligned(
      [
        [`  ${bytesText(memory.host)}`, ...(onDevice ? [bytesText(memory.device)] : []), 'in all, but for the text'],
        ...parts.map(({ meaning, host, device }) => [`  ${bytesText(host)}`, ...(onDevice ? [bytesText(device)] : []), meaning]),
      ],
      onDevice ? 3 : 2,
    )}`,
    section('Disk, at most', [
      ['checkpoints', bytesText(disk.checkpoints)],
      ['series', bytesText(disk.series)],
    ]),
  ];
}

type Figures = readonly (readonly [name: string, figure: number])[];

function routedParts({ experts, head, merge, shared }: RoutedMacs): Figures {
  return [
    ['experts', experts],
    ['head layers', head],
    ['merge layers', merge],
    ['shared experts', shared],
  ];
}

function withoutZeros(figures: Figures): [string, string][] {
  return figures.flatMap(([name, figure]): [string, string][] => (figure === 0 ? [] : [[name, digits(figure)]]));
}

function layerTable({ layers }: ModelCount): string {
  const header = ['Feed-forward of each layer', 'kind', 'parameters', 'MACs/token', 'router parameters', 'router MACs/token'];
  const rows = layers.map(({ name, kind, ...figures }) => [
    name,
    kind,
    digits(figures.parameters),
    digits(figures.macsPerToken),
    digits(figures.routerParameters),
    digits(figures.routerMacsPerToken),
  ]);
  return aligned([header, ...rows], 2);
}

function section(title: string, rows: readonly (readonly string[])[]): string {
  return `${title}\n${aligned(
    rows.map(([what = '', figure = '']) => [`  ${what}`, figure]),
    1,
  )}`;
}

/** Columns from `firstRight` on hold figures and are aligned right. */
function aligned(rows: readonly (readonly string[])[], firstRight: number): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column < firstRight ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function digits(value: number): string {
  return value.toLocaleString('en-GB', { maximumFractionDigits: 1 });
}
