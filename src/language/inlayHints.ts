import type { LoadedConfig, Position } from '../config/configFile';
import type { Experiment } from '../config/schema';
import type { ModelCount } from '../models/count';
import type { ParityResiduals } from '../parity/compareWithBaseline';

/** What hints, hovers and lenses read of an analysis. */
export interface HintedConfig {
  readonly file: string;
  readonly loaded: LoadedConfig;
  /** Undefined if the config has errors; so are the others then. */
  readonly count: ModelCount | undefined;
  readonly parity: ParityResiduals | null;
  readonly baseline: { readonly name: string; readonly experiment: Experiment; readonly count: ModelCount } | undefined;
}

/** A figure shown behind what the text says; no part of the text. */
export interface InlayHintText {
  /** Behind the value that it is about. */
  readonly position: Position;
  readonly text: string;
  /** Markdown: where the figure comes from. */
  readonly tooltip: string;
}

/** From top to bottom. Reads what the analysis has counted, and builds nothing. */
export function inlayHints({ loaded }: HintedConfig): readonly InlayHintText[] {
  const { experiment } = loaded;
  const moe = experiment?.model.moe;
  const range = loaded.rangeOf(['model', 'moe', 'heads']);
  if (experiment === undefined || moe?.kind !== 'mh-moe' || range === undefined) return [];
  const width = experiment.model.d_model / moe.heads;
  return [{ position: range.end, text: `${width} wide`, tooltip: 'Width of a sub-token: d_model / heads (2411.16205 Eq. 2).' }];
}
