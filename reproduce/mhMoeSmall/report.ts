import { table } from '../markdown';
import { overlap, placesOf, spreadOf, type Spread } from '../statistics';
import { publishedPerplexity } from './published';
import type { ModelResult, SmallResult } from './result';

const grouped = (value: number): string => Math.round(value).toLocaleString('en-US');
const nats = (value: number | null): string => (value === null ? 'diverged' : value.toFixed(4));

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
    sweep(result),
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

function sweep({ plan, models }: SmallResult): string {
  const last = plan.rates.length - 1;
  const atEdge = models.filter(({ rate }) => rate === plan.rates[0] || rate === plan.rates[last]).map(({ name }) => name);
  return [
    `Learning rates: loss in nats per byte on a text of its own, ${grouped(plan.sweepSteps)} steps, seed ${plan.sweepSeed}.`,
    '',
    table(
      ['model', ...plan.rates.map(String), 'taken'],
      models.map(({ name, sweep: tried, rate }) => [name, ...tried.map(({ loss }) => nats(loss)), String(rate)]),
    ),
    ...(atEdge.length === 0 ? [] : ['', `At an end of the sweep, so that a still better rate may lie beyond: ${atEdge.join(', ')}.`]),
  ].join('\n');
}

interface Row {
  readonly name: string;
  /** Perplexity by seed, and over them; undefined if any diverged. */
  readonly bySeed: readonly number[];
  readonly spread: Spread | undefined;
}

function scores({ models, texts }: SmallResult, set: string): string {
  const rows = models.map(({ name, seeds }): Row => {
    const losses = seeds.map(({ losses: bySet }) => bySet?.[set]);
    const known = losses.filter((loss) => loss !== undefined);
    const bySeed = known.map(Math.exp);
    return { name, bySeed, spread: known.length === losses.length ? spreadOf(bySeed) : undefined };
  });
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
        spread === undefined ? 'a seed diverged' : spreadText(spread),
        String(places[index]),
        paper[index]?.map((value) => value.toFixed(2)).join(' / ') ?? '-',
        paper[index] === undefined ? '-' : String(paperPlaces[index]),
      ]),
    ),
    '',
    undecided(rows),
  ].join('\n');
}

function spreadText({ mean, deviation, least, most }: Spread): string {
  return `${mean.toFixed(3)} ± ${deviation.toFixed(3)} (${least.toFixed(3)} to ${most.toFixed(3)})`;
}

/** Which differences the seeds do not support. Of a pair the same seed has the same text in the same order, so that seeds can be compared one by one. */
function undecided(rows: readonly Row[]): string {
  const ranked = rows
    .filter(({ spread }) => spread !== undefined)
    .sort((one, other) => (one.spread?.mean ?? 0) - (other.spread?.mean ?? 0));
  const pairs = ranked.flatMap((better, index) =>
    ranked
      .slice(index + 1)
      .filter((other) => better.spread !== undefined && other.spread !== undefined && overlap(better.spread, other.spread))
      .map((other) => {
        const wins = better.bySeed.filter((value, seed) => value < (other.bySeed[seed] ?? Number.NaN)).length;
        return `${better.name} and ${other.name} (the first is lower with ${wins} of ${better.bySeed.length} seeds)`;
      }),
  );
  return pairs.length === 0 ? 'The ranges of no two models meet.' : `Ranges over the seeds meet for ${pairs.join('; ')}.`;
}
