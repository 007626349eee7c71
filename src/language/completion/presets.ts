import type { TypedPlace } from '../place';
import { completion, type Completion, type PresetConfig } from './completion';

/** Whether a config says nothing yet but comments: there a whole one may begin. */
export function isEmptyConfig(text: string): boolean {
  return text.split(/\r\n|\n|\r/).every((line) => /^\uFEFF?\s*(#.*|[\w./-]*)$/.test(line)) && !/^[^#\n]*:/m.test(text);
}

/** Published models, each a whole config. */
export function presetCompletions(place: TypedPlace, presets: readonly PresetConfig[]): readonly Completion[] {
  return presets.map(({ preset, text }, index) =>
    completion(preset.id, 'preset', place.range, {
      insertText: text,
      detail: preset.title,
      documentation: `${preset.paper}: ${preset.source}.`,
      filterText: `${preset.id} ${preset.title} ${preset.paper}`,
      sortText: `9${String(index).padStart(3, '0')}`,
    }),
  );
}
