import type { ExpertsFrame, RunSummary } from '../../src/extension/panels/dashboard-protocol';
import { count, percent, timesUniform } from '../shared/figures';
import type { HeatmapContent } from './heatmap';

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
  /** `top 2`, `up to 4`. */
  readonly choice: string;
  /** Attention heads that have experts of their own; null elsewhere. */
  readonly heads: number | null;
  /** By expert. */
  readonly experts: readonly ExpertFigures[];
}

/** Rows of the heatmap, one per routed layer of the run; a layer whose counts are missing has none routed. */
export function layerFigures(summary: Pick<RunSummary, 'routedLayers'>, frame: ExpertsFrame): readonly LayerFigures[] {
  return summary.routedLayers.map(({ name, experts, k, varies, heads }, layer) => {
    const buffer = frame.layers.find((entry) => entry.layer === layer)?.counts;
    const counts = buffer === undefined ? new Float32Array(experts) : new Float32Array(buffer);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const figures = Array.from({ length: experts }, (_, expert): ExpertFigures => {
      const count = counts[expert] ?? 0;
      const share = total > 0 ? count / total : 0;
      return { count, total, share, timesUniform: share * experts };
    });
    return { name, choice: varies ? `up to ${k}` : `top ${k}`, heads, experts: figures };
  });
}

/** `expert 5`; where each attention head has its own, `head 1, expert 2`. */
function expertName({ heads, experts }: Pick<LayerFigures, 'heads' | 'experts'>, expert: number): string {
  if (heads === null) return `expert ${expert}`;
  const each = experts.length / heads;
  return `head ${Math.floor(expert / each)}, expert ${expert % each}`;
}

/** Share of routed units of each expert, layer by layer. `stretch`: `240 to 250`. */
export function expertsHeatmap(layers: readonly LayerFigures[], stretch: string): HeatmapContent {
  return {
    rows: layers.map(({ name, experts }) => ({ name, cells: experts.map((expert) => expert.timesUniform) })),
    description: `Expert utilisation, ${stretch}. ${describeLayers(layers)}`,
    columnTitle: 'expert',
    columnLabel: String,
    title: ({ row, column }) => {
      const layer = layers[row];
      return layer === undefined ? '' : `${layer.name} · ${expertName(layer, column)}`;
    },
    figures: ({ row, column }) => {
      const layer = layers[row];
      const figures = layer?.experts[column];
      if (layer === undefined || figures === undefined) return [];
      return [
        { label: 'Share of routed units', figure: percent(figures.share) },
        { label: `Times uniform (1/${layer.experts.length})`, figure: timesUniform(figures.timesUniform) },
        { label: `Routed to it (${layer.choice})`, figure: `${count(figures.count)} of ${count(figures.total)}` },
        { label: 'Steps', figure: stretch },
      ];
    },
    marked: null,
  };
}

/** One sentence per layer, for those who do not see the picture. */
export function describeLayers(layers: readonly LayerFigures[]): string {
  return layers
    .map(({ name, heads, experts }) => {
      const busiest = experts.reduce((best, expert, index) => (expert.share > (experts[best]?.share ?? 0) ? index : best), 0);
      const unused = experts.filter(({ count }) => count === 0).length;
      const times = (experts[busiest]?.timesUniform ?? 0).toFixed(2);
      return `${name}: ${experts.length} experts, busiest is ${expertName({ heads, experts }, busiest)} with ${times} times the even share, ${unused} unused.`;
    })
    .join(' ');
}
