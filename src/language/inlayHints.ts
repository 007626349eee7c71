import type { LoadedConfig, OwnConfig, Position } from '../config/configFile';
import type { Experiment } from '../config/schema';
import type { KeyPath } from '../config/yamlTree';
import type { ModelCount } from '../models/count';
import type { ParityResiduals } from '../parity/compareWithBaseline';
import { formatResidual } from '../parity/formatCount';
import { residualCause } from '../parity/residualCause';
import { parityTable } from './parityTexts';
import { sizeHints, type SizeHint } from './sizeHints';
import { endOfValue } from './valuePlace';

/** What hints read of an analysis. */
export interface HintedAlone {
  readonly file: string;
  readonly loaded: OwnConfig;
  /** Undefined if the config has errors; so are the others then. */
  readonly count: ModelCount | undefined;
  readonly parity: ParityResiduals | null;
  readonly baseline: { readonly name: string; readonly experiment: Experiment; readonly count: ModelCount } | undefined;
}

/** What hovers read of it: the members of the sweep as well. */
export interface HintedConfig extends HintedAlone {
  readonly loaded: LoadedConfig;
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
export function inlayHints(config: HintedAlone): readonly InlayHintText[] {
  const { loaded, count } = config;
  if (loaded.experiment === undefined || count === undefined) return [];
  const lines = loaded.text.split(/\r\n|\n|\r/);
  return [...parityHint(config, count), ...sizeHints(loaded.experiment, count)]
    .flatMap(({ path, text, tooltip }): InlayHintText[] => {
      const key = loaded.rangeOf(path);
      const position = key && endOfValue(lines, key);
      return position ? [{ position, text, tooltip }] : [];
    })
    .toSorted(({ position: one }, { position: other }) => one.line - other.line || one.character - other.character);
}

/** Both axes as papers print them, of the part that differs: at the key that causes them, else where the baseline is named. */
function parityHint({ loaded, parity, baseline }: HintedAlone, count: ModelCount): SizeHint[] {
  if (parity === null || baseline === undefined) return [];
  const { parametersWithRouter: parameters, macsWithRouter: macs } = parity.compared;
  const cause: KeyPath | undefined = parameters === 0 && macs === 0 ? undefined : residualCause({ loaded, count, baseline });
  const text = `${formatResidual(macs)} MACs, ${formatResidual(parameters)} parameters vs ${parity.baseline}`;
  return [{ path: cause ?? ['parity'], text, tooltip: parityTable({ count, baseline }) }];
}
