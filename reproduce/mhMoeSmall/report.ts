import { grouped, scoresOn, spreadText, sweepTable, undecided } from '../comparison/tables';
import { table } from '../markdown';
import { placesOf } from '../statistics';
import { publishedPerplexity } from './published';
import type { ModelResult, SmallResult } from './result';

/** The tables of docs/results.md. */
export function report(result: SmallResult): string {
  const { plan, texts, models } = result;
  const tokens = plan.steps * plan.windows * plan.context;
  const sets = Object.keys(texts.validation);
  return [
    `${grouped(plan.steps)} steps of ${grouped(plan.windows * plan.context)} bytes (${grouped(tokens)}) on ${grouped(texts.train.bytes)} bytes of RedPajama (arXiv); ` +
      `${plan.layers} layers of width ${plan.width}, every second routed; context ${plan.context}; seeds ${plan.seeds.join(', ')}. ` +
      `Perplexity per byte, mean ± standard deviation over the seeds (least to most).`,
    ...texts.missing.map((what) => `Not scored, since the data folder lacks it: ${what}.`),
    costs(models),
    sweepTable(plan, models),
    ...sets.map((set) => scores(result, set)),
    `All trainings together took ${(result.trainingSeconds / 60).toFixed(0)} minutes of one thread each, ${result.parallel} at a time.`,
  ].join('\n\n');
}

function costs(models: readonly ModelResult[]): string {
  const smoe = models.find(({ name }) => name === 'SMoE');
  return table(
    ['model', 'parameters', 'active', 'MACs per token, no routers', 'routers', 'routed parameters', 'to SMoE'],
    models.map((model) => [
      model.name,
      grouped(model.parameters),
      `${model.activeIsUpperBound ? '≤ ' : ''}${grouped(model.activeParameters)}`,
      grouped(model.macs),
      grouped(model.routerMacs),
      model.routedParameters === 0 ? '-' : grouped(model.routedParameters),
      model.routedParameters === 0 || smoe === undefined ? '-' : signedPercent(model.routedParameters / smoe.routedParameters - 1),
    ]),
  );
}

function signedPercent(share: number): string {
  return `${share > 0 ? '+' : ''}${(100 * share).toFixed(2)} %`;
}

function scores({ models, texts }: SmallResult, set: string): string {
  const rows = scoresOn(set, models);
  const places = placesOf(rows.map(({ spread }) => spread?.mean ?? Number.POSITIVE_INFINITY));
  const paper = rows.map(({ name }) => publishedPerplexity(name, set));
  const paperPlaces = placesOf(paper.map((cell) => cell?.[1] ?? Number.POSITIVE_INFINITY));
  const { entropy, bytes } = texts.validation[set] ?? { entropy: { unigram: Number.NaN, bigram: Number.NaN }, bytes: 0 };
  return [
    `**${set}** (${grouped(bytes)} bytes; a byte's frequency alone gives ${Math.exp(entropy.unigram).toFixed(2)}, the byte before it ${Math.exp(entropy.bigram).toFixed(2)}):`,
    '',
    table(
      ['model', 'perplexity', 'place', 'paper, 50k / 100k steps', 'place in the paper'],
      rows.map(({ name, spread }, index) => [
        name,
        spreadText(spread),
        String(places[index]),
        paper[index]?.map((value) => value.toFixed(2)).join(' / ') ?? '-',
        paper[index] === undefined ? '-' : String(paperPlaces[index]),
      ]),
    ),
    '',
    undecided(rows),
  ].join('\n');
}
