import type { SketchFrame } from '../../runs/format';
import { layerName } from '../../runs/layerName';
import type { UsageEver } from '../../runs/usageEver';
import { compact } from './figures';

export interface RetrievalState {
  readonly name: string;
  readonly ever: UsageEver;
  newest: SketchFrame | undefined;
}

/** What a retrieval has come to: how many of its experts were ever used, and how evenly they are at present. */
export function retrievalLine({ name, ever, newest }: RetrievalState): string {
  const share = `${((100 * ever.used) / ever.experts).toFixed(1)} %`;
  const used = newest === undefined ? 0 : newest.histogram.reduce((sum, experts, bin) => (bin === 0 ? sum : sum + experts), 0);
  const now = `${compact(used)} of them last`;
  return `${layerName(name)}  ${compact(ever.used)} of ${compact(ever.experts)} experts used (${share}), ${now}, unevenness ${(newest?.unevenness ?? 0).toFixed(2)}`;
}
