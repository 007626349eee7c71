import type { PublishedFigure } from '../config/presets/preset';
import type { AttentionCosts } from './attentionCosts';
import { attentionCosts } from './attentionCosts';
import type { CountedPreset } from './countedPreset';
import { publishedParameters } from './publishedParameters';
import { agreement } from './publishedFigure';
import { moaEquation, moaScript } from './switchHeadCost';
import { digits, markdownTable, modelCell } from './tableText';

/**
 * SwitchHead in docs/parity-table.md: parameters as its code has them, the cost of attention counted three ways, and against the dense
 * models.
 */
export function attentionSection(models: readonly CountedPreset[], all: ReadonlyMap<string, CountedPreset>): string[] {
  const costed = models.map((model) => ({ ...model, costs: attentionCosts(model.count, model.model) }));
  return [
    parametersText,
    markdownTable(
      ['model', 'here', 'biases of feed-forward networks', 'of the output layer', 'u and v of dense attention', 'as the code', 'published'],
      models.map(({ preset, model, count }) => {
        const { feedForward, output, attention, total } = publishedParameters(model, count.parameters.total);
        return [
          modelCell(preset),
          ...[count.parameters.total, feedForward, output, attention, total].map(digits),
          printed(preset.published.total),
        ];
      }),
    ),
    '',
    costText,
    markdownTable(
      [
        'model',
        'graph',
        'of it selections',
        'equations',
        'and selections',
        'script',
        'published',
        'which is',
        'floats: equations',
        'script',
        'published',
        'which is',
      ],
      costed.map(costRow),
    ),
    '',
    'As shares of the dense model with as many heads as the others are matched to:',
    '',
    markdownTable(
      ['model', 'against', 'model parameters', 'model MACs', 'attention: graph', 'equations', 'script', 'floats: equations', 'script'],
      costed.flatMap((model) => shareRow(model, all)),
      2,
    ),
    '',
    moaText,
    markdownTable(['model', 'heads', 'equation 14', 'script', 'published', 'floats: script', 'published'], moaRows()),
    '',
  ];
}

const parametersText = `The code of the paper has a few parameters that these models have not: biases of the feed-forward networks and of the output layer, and in dense
attention with relative positions the two vectors u and v of each head. With them its counts round to those in print, but for the 45 M with one selection, whose
sizes are not printed:
`;

const costText = `What the attention of one layer costs over one sequence, in millions of MACs and of floats, counted three ways. *Graph* is what is computed here: keys and values of
the cached chunk are projected again, positions for 2 T distances, and the scores by position are a product of their own. *Equations* are 11 to 13 of the
paper, which take keys and values of the cached chunk as kept, project positions for 2 C T distances and leave out the scores by position and the selection of
experts; *and selections* adds the latter, n E d T for each side and chunk. *Script* is what printed the tables of the paper (paper/common.py of its code): for
SwitchHead it projects positions for 2 T distances only, and counts the selection of one head instead of n. Dense attention is the same in both.
*Which is* says which of the two rounds to the published figure.
`;

const moaText = `MoA, the other mixture of attention heads in Table 1, cannot be configured here: neither its definition nor the sizes of its models are at hand. Its cost is equation
14 of the paper, and the cells in print come out by the script with heads 88 wide and 10 experts (47 M) or 144 wide and 10 experts (262 M), k = 2: sizes that are
inferred from those cells.
`;

type Costed = CountedPreset & { readonly costs: AttentionCosts };

function costRow({ preset, costs }: Costed): string[] {
  const { graph, paperEquation: paper, authorsScript: script } = costs;
  const { attentionMacs, attentionMemory } = preset.published;
  const macs = paper && script ? { equations: paper.macs, script: script.macs } : undefined;
  const memory = paper && script ? { equations: paper.memory, script: script.memory } : undefined;
  return [
    modelCell(preset),
    millions(graph.macs, 1),
    millions(graph.selections, 1),
    ...(macs
      ? [millions(macs.equations, 1), millions(macs.equations + (paper?.selections ?? 0), 1), millions(macs.script, 1)]
      : ['', '', '']),
    printed(attentionMacs),
    which(attentionMacs, macs),
    ...(memory ? [millions(memory.equations, 2), millions(memory.script, 2)] : ['', '']),
    printed(attentionMemory),
    which(attentionMemory, memory),
  ];
}

function which(figure: PublishedFigure | undefined, counted: Readonly<Record<'equations' | 'script', number>> | undefined): string {
  if (!figure || !counted) return '';
  const rounds = (['equations', 'script'] as const).filter((name) => agreement(counted[name], figure).rounds);
  return rounds.length === 2 ? 'both' : (rounds[0] ?? '**neither**');
}

function shareRow({ preset, count, costs }: Costed, all: ReadonlyMap<string, CountedPreset>): string[][] {
  const baseline = all.get(preset.baseline ?? '');
  if (!baseline || baseline.preset.id === preset.id) return [];
  const theirs = attentionCosts(baseline.count, baseline.model);
  const of = (ours: number | undefined, other: number | undefined): string =>
    ours === undefined || other === undefined ? '' : `${((ours / other) * 100).toFixed(2)} %`;
  return [
    [
      modelCell(preset),
      baseline.preset.title,
      of(count.parameters.total, baseline.count.parameters.total),
      of(count.macsPerToken.total, baseline.count.macsPerToken.total),
      of(costs.graph.macs, theirs.graph.macs),
      of(costs.paperEquation?.macs, theirs.paperEquation?.macs),
      of(costs.authorsScript?.macs, theirs.authorsScript?.macs),
      of(costs.paperEquation?.memory, theirs.paperEquation?.memory),
      of(costs.authorsScript?.memory, theirs.authorsScript?.memory),
    ],
  ];
}

/** Table 1: name, d_model, T, head width (inferred), and by heads the MACs and floats in print. */
const moa = [
  {
    name: '47 M',
    width: 412,
    time: 256,
    headWidth: 88,
    cells: [
      [2, '140.1 M', '0.7 M'],
      [4, '223.5 M', '1.3 M'],
      [6, '306.8 M', '1.9 M'],
      [8, '390.2 M', '2.6 M'],
    ],
  },
  {
    name: '262 M',
    width: 1024,
    time: 512,
    headWidth: 144,
    cells: [
      [2, '1.1 G', '2.7 M'],
      [4, '1.7 G', '5.1 M'],
      [8, '2.9 G', '9.9 M'],
      [12, '4.1 G', '14.7 M'],
    ],
  },
] as const;

function moaRows(): string[][] {
  return moa.flatMap(({ name, width, time, headWidth, cells }) =>
    cells.map(([heads, macs, memory]) => {
      const size = { heads, headWidth, width, time, chunks: 2, relative: true } as const;
      const script = moaScript(size, { experts: 10, k: 2 });
      return [
        `MoA, ${name}`,
        `${heads}`,
        millions(moaEquation(size), 1),
        millions(script.macs, 1),
        macs,
        millions(script.memory, 2),
        memory,
      ];
    }),
  );
}

function printed(figure: PublishedFigure | undefined): string {
  return figure?.printed ?? 'not printed';
}

function millions(value: number, decimals: number): string {
  return (value / 1e6).toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}
