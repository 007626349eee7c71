import type { ModelCount } from '../models/count';
import type { ParityResiduals } from '../parity/compareWithBaseline';
import type { ComparedScope } from '../parity/comparedPart';
import { formatResidual } from '../parity/formatCount';

/** What residuals are of, as a sentence begins with it. */
export const scopeNames: Readonly<Record<ComparedScope, string>> = {
  layers: 'Layers that differ',
  attention: 'Attention',
  model: 'Whole model',
};

/** One row of residuals, as fractions. */
export interface ParityRow {
  readonly of: string;
  readonly macs: number;
  readonly macsWithRouter: number;
  readonly parameters: number;
  readonly parametersWithoutRouter: number;
}

/** The residuals, and the counts that they are of. */
export interface ComparedCounts {
  readonly parity: ParityResiduals;
  readonly count: ModelCount;
  readonly baseline: { readonly count: ModelCount };
}

/** The part that differs first: that is what papers print. One row where that is everything. */
export function parityRows({
  parity: { compared, parameters, macs, macsWithRouter },
  count,
  baseline,
}: ComparedCounts): readonly ParityRow[] {
  const withoutRouter = ({ parameters: { total, router } }: ModelCount): number => total - router;
  const whole: ParityRow = {
    of: scopeNames.model,
    macs,
    macsWithRouter,
    parameters,
    parametersWithoutRouter: withoutRouter(count) / withoutRouter(baseline.count) - 1,
  };
  const part: ParityRow = {
    of: scopeNames[compared.scope],
    macs: compared.macs,
    macsWithRouter: compared.macsWithRouter,
    parameters: compared.parametersWithRouter,
    parametersWithoutRouter: compared.parameters,
  };
  return compared.scope === 'model' ? [part] : [part, whole];
}

/** Markdown: both axes, with and without the router, of the part that differs and of the whole. */
export function parityTable(counts: ComparedCounts): string {
  const rows = parityRows(counts).map(
    ({ of, macs, macsWithRouter, parameters, parametersWithoutRouter: without }) =>
      `| ${of} | ${formatResidual(macsWithRouter)} | ${formatResidual(macs)} | ${formatResidual(parameters)} | ${formatResidual(without)} |`,
  );
  return [
    `Against \`${counts.parity.baseline}\`:`,
    '',
    '| | MACs | without router | parameters | without router |',
    '|---|---:|---:|---:|---:|',
    ...rows,
  ].join('\n');
}
