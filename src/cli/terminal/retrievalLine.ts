import type { SketchFrame } from '../../runs/format';
import { layerName } from '../../runs/layerName';
import type { UsageEver } from '../../runs/usageEver';
import { grouped } from './figures';

export interface RetrievalState {
  readonly name: string;
  readonly ever: UsageEver;
  newest: SketchFrame | undefined;
}

/** What a retrieval has come to: how many of its experts were ever used, and how many and how evenly in the steps of the newest sketch. */
export function retrievalLine({ name, ever, newest }: RetrievalState): string {
  const share = `${((100 * ever.used) / ever.experts).toFixed(1)} %`;
  const used = newest === undefined ? 0 : newest.histogram.reduce((sum, experts, bin) => (bin === 0 ? sum : sum + experts), 0);
  const choices = `unevenness of choices ${(newest?.unevenness ?? 0).toFixed(2)}`;
  return `${layerName(name)}  ${grouped(ever.used)} of ${grouped(ever.experts)} experts ever used (${share}), ${grouped(used)} in the last frame, ${choices}`;
}
