import type { Preset } from '../../config/presets/preset';

/** An entry of the list of presets, or the heading of a paper. */
export type PresetItem =
  { readonly paper: string } | { readonly label: string; readonly description: string; readonly detail: string; readonly preset: Preset };

/** Presets under their papers, in order. The paper is in each entry too, so that typing its name or number finds them. */
export function presetItems(presets: readonly Preset[]): PresetItem[] {
  const papers = [...new Set(presets.map(({ paper }) => paper))];
  return papers.flatMap((paper): PresetItem[] => [
    { paper },
    ...presets
      .filter((preset) => preset.paper === paper)
      .map((preset) => ({ label: preset.title, description: preset.id, detail: `${paper}: ${preset.source}`, preset })),
  ]);
}
