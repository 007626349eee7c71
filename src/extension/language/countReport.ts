import type { CountedConfig } from '../../parity/compareWithBaseline';
import { formatResidual } from '../../parity/formatCount';
import type { ModelCount, RoutedMacs } from '../../models/count';

/** All figures of a count, in full, as text. `name` is the file's. */
export function countReport(name: string, { count, parity, causality, findings }: CountedConfig): string {
  if (count === undefined) {
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
        ['feed-forward, not routed', parameters.ffn],
        ...routedParts(parameters),
        ['routers', parameters.router],
        ['norms', parameters.norm],
      ]),
    ]),
    section('MACs per token, forward', [
      ['total', digits(macsPerToken.total)],
      ['attention projections', digits(macsPerToken.attention)],
      ['attention core, full context', digits(macsPerToken.attentionCore)],
      ['feed-forward, not routed', digits(macsPerToken.ffn)],
      ['routed layers, without routers', digits(macsPerToken.experts)],
      ['routers', digits(macsPerToken.router)],
      ['logits', digits(macsPerToken.logits)],
    ]),
    layerTable(count),
    ...(macsPerToken.experts === 0 ? [] : [section('MACs per token of the routed layers', withoutZeros(routedParts(count.routed)))]),
  ];
  if (parity) {
    sections.push(
      section(`Against ${parity.baseline}`, [
        ['parameters', formatResidual(parity.parameters)],
        ['MACs, without routers', formatResidual(parity.macs)],
        ['MACs, with routers', formatResidual(parity.macsWithRouter)],
      ]),
    );
  }
  sections.push(...(causality?.reasons.map(({ reason }) => reason) ?? []));
  sections.push('1 MAC is one multiply-add of a matrix product.');
  return `${sections.join('\n\n')}\n`;
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
