import { daStylePresets } from './daStyle';
import { deepseekMoe } from './deepseekMoe';
import { dynamicMoePresets } from './dynamicMoe';
import { mhMoePresets } from './mhMoe';
import { mhMoeOriginalPresets } from './mhMoeOriginal';
import { mixtral } from './mixtral';
import { olmoe } from './olmoe';
import { peerPresets } from './peer';
import type { Preset } from './preset';
import { qwen3 } from './qwen3';
import { switchHeadPresets } from './switchHead';

/** Every preset, by paper. */
export const presets: readonly Preset[] = [
  ...mhMoePresets,
  ...mhMoeOriginalPresets,
  mixtral,
  olmoe,
  qwen3,
  deepseekMoe,
  ...switchHeadPresets,
  ...peerPresets,
  ...dynamicMoePresets,
  ...daStylePresets,
];

export function presetOf(id: string): Preset | undefined {
  return presets.find((preset) => preset.id === id);
}
