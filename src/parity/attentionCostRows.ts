import type { AttentionCosts } from './attentionCosts';

/** One way of counting what attention costs, in a table of them. */
export interface AttentionCostRow {
  /** Where the figures come from. */
  readonly source: string;
  /** Of one layer over one window. */
  readonly macs: number;
  /** With the scores that choose experts; null where `macs` has them already. */
  readonly withSelections: number | null;
  /** Floats kept; null where the source does not say. */
  readonly floats: number | null;
}

/** The three ways, those that apply: the graph that is computed here, the equations of the paper, and the script that made its tables. */
export function attentionCostRows({ graph, paperEquation: paper, authorsScript: script }: AttentionCosts): readonly AttentionCostRow[] {
  return [
    { source: 'graph', macs: graph.macs - graph.selections, withSelections: graph.macs, floats: null },
    ...(paper === null
      ? []
      : [{ source: '2312.07987 Eq. 11-13', macs: paper.macs, withSelections: paper.macs + paper.selections, floats: paper.memory }]),
    ...(script === null ? [] : [{ source: "its authors' script", macs: script.macs, withSelections: null, floats: script.memory }]),
  ];
}
