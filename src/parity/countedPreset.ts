import type { Preset } from '../config/presets/preset';
import { experimentSchema } from '../config/schema';
import type { ModelConfig } from '../config/schema';
import type { LayerCount, ModelCount } from '../models/count';
import { countModel } from '../models/count';
import { buildLanguageModel } from '../models/languageModel';

export interface CountedPreset {
  readonly preset: Preset;
  readonly model: ModelConfig;
  readonly count: ModelCount;
  /** The routed or retrieving feed-forward layer; of a dense model the one that stands in its place. */
  readonly layer: LayerCount;
}

export function countPreset(preset: Preset): CountedPreset {
  const experiment = experimentSchema.parse(preset.experiment);
  const count = countModel(buildLanguageModel(experiment), experiment.model);
  const layer = count.layers.find(({ kind }) => kind !== 'dense') ?? count.layers[1];
  if (layer === undefined)
    throw new RangeError(`The preset ${preset.id} has a single layer, so nothing stands in the place of a routed one.`);
  return { preset, model: experiment.model, count, layer };
}
