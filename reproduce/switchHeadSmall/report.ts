import { grouped, scoresOn, spreadText, sweepTable, undecided } from '../comparison/tables';
import { table } from '../markdown';
import { spreadOf } from '../statistics';
import { publishedBand } from './published';
import type { ModelResult, SwitchHeadResult } from './result';

/** The tables of docs/results.md. The first model is the baseline. */
export function report(result: SwitchHeadResult): string {
  const { plan, texts, models } = result;
  const tokens = plan.steps * plan.windows * plan.context;
  return [
    `${grouped(plan.steps)} steps of ${grouped(plan.windows * plan.context)} bytes (${grouped(tokens)}) on ${grouped(texts.train.bytes)} bytes of RedPajama (arXiv); ` +
      `${plan.layers} layers of width ${plan.width}; context ${plan.context} and one cached chunk as long; seeds ${plan.seeds.join(', ')}. ` +
      `Perplexity per byte, mean ± standard deviation over the seeds (least to most).`,
    ...texts.missing.map((what) => `Not scored, since the data folder lacks it: ${what}.`),
    costs(models),
    sweepTable(plan, models),
    ...Object.keys(texts.validation).map((set) => scores(result, set)),
    `All trainings together took ${(result.trainingSeconds / 60).toFixed(0)} minutes of one thread each, ${result.parallel} at a time.`,
  ].join('\n\n');
}

/** Attention of one layer and one sequence by the paper's equations, by the authors' script and as the program counts. */
function costs(models: readonly ModelResult[]): string {
  const [baseline] = models;
  const share = (own: number, of: number | undefined): string => `${grouped(own)} (${((100 * own) / (of ?? Number.NaN)).toFixed(1)} %)`;
  return table(
    ['model', 'parameters', 'attention MACs, program', "paper's equation", "authors' script", 'attention floats, equation', 'script'],
    models.map(({ name, parameters, attention: { program, equation, script } }) => [
      name,
      grouped(parameters),
      share(program.macs, baseline?.attention.program.macs),
      share(equation.macs, baseline?.attention.equation.macs),
      share(script.macs, baseline?.attention.script.macs),
      share(equation.memory, baseline?.attention.equation.memory),
      share(script.memory, baseline?.attention.script.memory),
    ]),
  );
}

function scores({ models, texts }: SwitchHeadResult, set: string): string {
  const rows = scoresOn(set, models);
  const [baseline] = rows;
  const { least, most } = publishedBand();
  const { entropy, bytes } = texts.validation[set] ?? { entropy: { unigram: Number.NaN, bigram: Number.NaN }, bytes: 0 };
  return [
    `**${set}** (${grouped(bytes)} bytes; a byte's frequency alone gives ${Math.exp(entropy.unigram).toFixed(2)}, the byte before it ${Math.exp(entropy.bigram).toFixed(2)}). ` +
      `Published perplexities of SwitchHead are ${least.toFixed(3)} to ${most.toFixed(3)} times those of their dense baselines.`,
    '',
    table(
      ['model', 'perplexity', 'to dense, by seed', 'within the published band'],
      rows.map(({ name, bySeed, spread }) => {
        const ratios = bySeed.map((value, seed) => value / (baseline?.bySeed[seed] ?? Number.NaN));
        const { mean } = spreadOf(ratios);
        const within = mean <= most ? (mean >= least ? 'yes' : 'better than it') : 'no';
        return [
          name,
          spreadText(spread),
          name === baseline?.name ? '1' : `${mean.toFixed(4)} (${ratios.map((ratio) => ratio.toFixed(4)).join(', ')})`,
          name.startsWith('SwitchHead') ? within : '',
        ];
      }),
    ),
    '',
    undecided(rows),
  ].join('\n');
}
