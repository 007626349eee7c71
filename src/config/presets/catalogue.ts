import { deepseekMoe } from './deepseekMoe';
import { mhMoePresets } from './mhMoe';
import { mhMoeOriginalPresets } from './mhMoeOriginal';
import { mixtral } from './mixtral';
import { olmoe } from './olmoe';
import type { Preset } from './preset';
import { qwen3 } from './qwen3';

/** Every preset, by paper. */
export const presets: readonly Preset[] = [...mhMoePresets, ...mhMoeOriginalPresets, mixtral, olmoe, qwen3, deepseekMoe];

export function presetOf(id: string): Preset | undefined {
  return presets.find((preset) => preset.id === id);
}
