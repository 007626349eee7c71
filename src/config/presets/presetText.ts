import { Document, isMap, isSeq } from 'yaml';
import type { Preset, PublishedPerplexity, PublishedResult } from './preset';

/** Longest line of a comment, `# ` included. */
const lineWidth = 110;

/** Mappings and lists that read better in one line. */
const inOneLine: readonly (readonly string[])[] = [
  ['model', 'attention'],
  ['model', 'product_keys'],
  ['model', 'ffn'],
  ['model', 'bitnet'],
  ['model', 'moe', 'router'],
  ['model', 'moe', 'layers'],
  ['train', 'betas'],
];

const trainLines = `# train: # the source does not say how it was trained
#   steps: 100000
#   batch_tokens: 524288
`;

const dataLines = `# data: # to train it, name your text; the tokenizer is bytes, whatever the source used
#   tokenizer: bytes
#   train: [corpus/train/*.txt]
#   validation: { text: [corpus/validation/*.txt] }
`;

/** A preset as a config file: its source and its gaps as comments, the values, and what is left to fill in commented out. */
export function presetText(preset: Preset): string {
  const document = new Document(preset.experiment);
  for (const path of inOneLine) {
    const node = document.getIn(path, true);
    if (isMap(node) || isSeq(node)) node.flow = true;
  }
  return [
    comment(`${preset.paper}, ${preset.title}.`),
    comment(`Source: ${preset.source}.`),
    ...(preset.gaps.length === 0 ? [] : [comment('What the source does not say, and what was chosen:')]),
    ...preset.gaps.map(item),
    ...(preset.flags.length === 0 ? [] : [comment('Beware:')]),
    ...preset.flags.map(item),
    ...publishedLines(preset),
    ...Object.entries(preset.suppressed ?? {}).map(([code, reason]) => `# moe-lab-disable ${code} -- ${reason}`),
    // Lists without blanks inside their brackets, as everywhere here.
    document
      .toString({ lineWidth: 0 })
      .trimEnd()
      .replace(/\[ (.*) \]/g, '[$1]'),
    ...(preset.experiment.train ? [] : [trainLines.trimEnd()]),
    dataLines,
  ].join('\n');
}

function publishedLines({ published, perplexity, results = [] }: Preset): string[] {
  const counts = [
    [published.total, 'parameters'],
    [published.active, 'active parameters'],
    [published.expertParameters, 'expert parameters'],
    [published.otherParameters, 'other parameters'],
    [published.attentionMacs, 'MACs of the attention of one layer and sequence'],
    [published.attentionMemory, 'floats of it'],
  ] as const;
  const printed = [
    ...counts.flatMap(([figure, what]) => (figure ? [`${figure.printed} ${what} (${figure.where})`] : [])),
    ...byTable(perplexity.map((figure) => ({ metric: 'perplexity', ...figure }))),
    ...byTable(results),
  ];
  return printed.length === 0 ? [] : [comment(`Published: ${printed.join('; ')}.`)];
}

type Result = (PublishedPerplexity & { readonly metric: 'perplexity' }) | PublishedResult;

/** `perplexity on RedPajama / Wiki / C4 at step 50,000: 11.6 / 10.11 / 15.11 (Table 1)`. */
function byTable(all: readonly Result[]): string[] {
  const tables = new Map<string, Result[]>();
  for (const figure of all) {
    const key = `${figure.metric} ${figure.where} ${figure.step}`;
    tables.set(key, [...(tables.get(key) ?? []), figure]);
  }
  return [...tables.values()].map((figures) => {
    const [first] = figures;
    const step = typeof first?.step === 'number' ? ` at step ${first.step.toLocaleString('en-US')}` : '';
    const join = (parts: readonly (string | number)[]): string => parts.join(' / ');
    const datasets = join(figures.map(({ dataset }) => dataset));
    return `${first?.metric ?? ''} on ${datasets}${step}: ${join(figures.map(({ value }) => value))} (${first?.where ?? ''})`;
  });
}

function item(text: string): string {
  return comment(text, '- ');
}

/** Wrapped at words; later lines stand under the first. */
function comment(text: string, mark = ''): string {
  const lines: string[] = [];
  let line = `# ${mark}`;
  for (const word of text.split(' ')) {
    if (line.trimEnd().length + 1 + word.length > lineWidth) {
      lines.push(line.trimEnd());
      line = `# ${' '.repeat(mark.length)}`;
    }
    line += `${word} `;
  }
  return [...lines, line.trimEnd()].join('\n');
}
