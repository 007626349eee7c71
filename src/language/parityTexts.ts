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
  /** Undefined where it is not known: of the whole model parameters are those with all that chooses experts. */
  readonly parametersWithoutRouter: number | undefined;
}

/** The part that differs first: that is what papers print. One row where that is everything. */
export function parityRows({ compared, parameters, macs, macsWithRouter }: ParityResiduals): readonly ParityRow[] {
  const whole: ParityRow = { of: scopeNames.model, macs, macsWithRouter, parameters, parametersWithoutRouter: undefined };
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
export function parityTable(parity: ParityResiduals): string {
  const rows = parityRows(parity).map(
    ({ of, macs, macsWithRouter, parameters, parametersWithoutRouter: without }) =>
      `| ${of} | ${formatResidual(macsWithRouter)} | ${formatResidual(macs)} | ${formatResidual(parameters)} | ${without === undefined ? '' : formatResidual(without)} |`,
  );
  return [
    `Against \`${parity.baseline}\`:`,
    '',
    '| | MACs | without router | parameters | without router |',
    '|---|---:|---:|---:|---:|',
    ...rows,
  ].join('\n');
}
