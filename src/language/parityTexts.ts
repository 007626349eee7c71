import type { ModelCount } from '../models/count';
import { comparedTitles } from '../parity/comparedPart';
import { formatResidual } from '../parity/formatCount';
import { parityView, type ParityOfBoth } from './parityView';

type Figures = ParityOfBoth['compared'];

/** Of the part that differs first: that is what papers print. Once where that is everything. */
function parts({ scope, compared, model }: ParityOfBoth): readonly { readonly name: string; readonly figures: Figures }[] {
  const part = { name: comparedTitles[scope], figures: compared };
  return scope === 'model' ? [part] : [part, { name: comparedTitles.model, figures: model }];
}

/** Two counted models, and what the second is called. */
export interface ComparedCounts {
  readonly count: ModelCount;
  readonly baseline: { readonly name: string; readonly count: ModelCount };
}

function viewOf({ count, baseline }: ComparedCounts): ParityOfBoth {
  return parityView(baseline.name, count, baseline.count);
}

/** Markdown: both axes, with and without the router, of the part that differs and of the whole. */
export function parityTable(counts: ComparedCounts): string {
  const view = viewOf(counts);
  const cells = ({ macsWithRouter, macs, parametersWithRouter, parameters }: Figures): readonly (number | null)[] => [
    macsWithRouter,
    macs,
    parametersWithRouter,
    parameters,
  ];
  return [
    `Against \`${view.baseline}\`:`,
    '',
    '| | MACs | without router | parameters | without router |',
    '|---|---:|---:|---:|---:|',
    ...parts(view).map(({ name, figures }) => `| ${[name, ...cells(figures).map(residualText)].join(' | ')} |`),
  ].join('\n');
}

/**
 * `vs smoe.moe.yaml: +0.52 % MACs, −3.10 % parameters in layers that differ; +0.11 %, −2.35 % in whole model`; with what chooses experts.
 */
export function paritySentence(counts: ComparedCounts): string {
  const view = viewOf(counts);
  const texts = parts(view).map(
    ({ name, figures: { macsWithRouter, parametersWithRouter } }, index) =>
      `${residualText(macsWithRouter)}${index === 0 ? ' MACs' : ''}, ${residualText(parametersWithRouter)}${index === 0 ? ' parameters' : ''} in ${name === comparedTitles.model ? 'all' : name.toLowerCase()}`,
  );
  return `vs ${view.baseline}: ${texts.join('; ')}`;
}

/** The same without what chooses experts, as 2411.16205 counts. */
export function parityWithoutRouter(counts: ComparedCounts): string {
  const texts = parts(viewOf(counts)).map(
    ({ name, figures: { macs, parameters } }) =>
      `${residualText(macs)} MACs, ${residualText(parameters)} parameters in ${name.toLowerCase()}`,
  );
  return `Without router: ${texts.join('; ')}.`;
}

/** A dash where the baseline has none of it. */
export function residualText(fraction: number | null): string {
  return fraction === null ? '–' : formatResidual(fraction);
}
