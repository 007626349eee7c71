import { presets } from '../../src/config/presets/catalogue';

/**
 * What Table 1 of 2411.16205 prints for a model and a text: perplexity after 50,000 and 100,000 steps of 0.5 M tokens, 12 layers of width
 * 768, LLaMA tokens, one seed a cell. Undefined where it has no such model or text. Only the order can be compared with what is trained
 * here.
 */
export function publishedPerplexity(model: string, set: string): readonly [at50k: number, at100k: number] | undefined {
  const row = presets.find(({ id, experiment }) => id.startsWith('mh-moe/table-1/') && experiment.name === model);
  const [at50k, at100k] = [50_000, 100_000].map(
    (wanted) => row?.perplexity.find(({ dataset, step }) => dataset === set && step === wanted)?.value,
  );
  return at50k === undefined || at100k === undefined ? undefined : [at50k, at100k];
}
