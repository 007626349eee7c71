import { didYouMean } from '../config/editDistance';
import { presetOf, presets } from '../config/presets/catalogue';
import type { Preset } from '../config/presets/preset';
import { presetText } from '../config/presets/presetText';
import { exitCode, WrongUse, type Command } from './command';
import { textTable } from './textTable';

export const command: Command = {
  summary: 'List the published models that come as configs, or print one.',
  usage: 'presets [ID] [--json]',
  options: {},
  run({ positionals, values, stdout }) {
    const [id, ...others] = positionals;
    if (others.length > 0) throw new WrongUse('moe-lab presets prints one preset at a time; name one ID.');
    const asJson = values['json'] === true;
    if (id === undefined) stdout.write(asJson ? `${JSON.stringify({ schemaVersion: 1, presets: presets.map(listed) })}\n` : list());
    else stdout.write(asJson ? `${JSON.stringify({ schemaVersion: 1, preset: whole(known(id)) })}\n` : presetText(known(id)));
    return Promise.resolve(exitCode.done);
  },
};

function known(id: string): Preset {
  const preset = presetOf(id);
  if (preset) return preset;
  const meant = didYouMean(
    id,
    presets.map((other) => other.id),
  );
  throw new WrongUse(`There is no preset ${id}; ${meant === undefined ? 'moe-lab presets lists them.' : `did you mean ${meant}?`}`);
}

/** The published form of one preset in the list; its keys are a contract with other programs. */
function listed({ id, title, paper, source, gaps, flags, published, perplexity, results = [] }: Preset): object {
  return { id, title, paper, source, gaps, flags, published, perplexity, results };
}

/** As `listed`, with the config as values and as text. */
function whole(preset: Preset): object {
  return { ...listed(preset), experiment: preset.experiment, yaml: presetText(preset) };
}

function list(): string {
  const papers = [...new Set(presets.map(({ paper }) => paper))];
  const sections = papers.map((paper) => {
    const rows = presets.filter((preset) => preset.paper === paper).map(({ id, title }) => [`  ${id}`, title]);
    return `${paper}\n${textTable(rows, [false, false])}`;
  });
  return `${sections.join('\n\n')}\n\nmoe-lab presets ID prints one as a config: moe-lab presets mixtral-8x7b > mixtral.moe.yaml\n`;
}
