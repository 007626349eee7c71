import type { ExpertsFrame, RunSummary } from '../../src/extension/panels/dashboard-protocol';

/** What one expert of one layer got in a frame. */
export interface ExpertFigures {
  /** Routed (unit, choice) pairs. */
  readonly count: number;
  /** All pairs of the layer. */
  readonly total: number;
  /** count / total; 0 where nothing was routed. */
  readonly share: number;
  /** Share relative to the even one, 1 / experts. */
  readonly timesUniform: number;
}

export interface LayerFigures {
  readonly name: string;
  readonly k: number;
  /** By expert. */
  readonly experts: readonly ExpertFigures[];
}

/** Rows of the heatmap, one per routed layer of the run; a layer whose counts are missing has none routed. */
export function layerFigures(summary: Pick<RunSummary, 'routedLayers'>, frame: ExpertsFrame): readonly LayerFigures[] {
  return summary.routedLayers.map(({ name, experts, k }, layer) => {
    const buffer = frame.layers.find((entry) => entry.layer === layer)?.counts;
    const counts = buffer === undefined ? new Float32Array(experts) : new Float32Array(buffer);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const figures = Array.from({ length: experts }, (_, expert): ExpertFigures => {
      const count = counts[expert] ?? 0;
      const share = total > 0 ? count / total : 0;
      return { count, total, share, timesUniform: share * experts };
    });
    return { name, k, experts: figures };
  });
}

/** One sentence per layer, for those who do not see the picture. */
export function describeLayers(layers: readonly LayerFigures[]): string {
  return layers
    .map(({ name, experts }) => {
      const busiest = experts.reduce((best, expert, index) => (expert.share > (experts[best]?.share ?? 0) ? index : best), 0);
      const unused = experts.filter(({ count }) => count === 0).length;
      const times = (experts[busiest]?.timesUniform ?? 0).toFixed(2);
      return `${name}: ${experts.length} experts, busiest is expert ${busiest} with ${times} times the even share, ${unused} unused.`;
    })
    .join(' ');
}
