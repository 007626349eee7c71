import type { SampleCorpus } from '../sampleCorpus';

/** The README of the sample workspace, with the entropies of the very corpus beside it. */
export function sampleReadme({ entropy }: SampleCorpus): string {
  const row = (kind: 'prose' | 'arithmetic' | 'lists' | 'code', what: string) => {
    const { bitsPerByte, perplexity } = entropy[kind].validation;
    return `| \`${kind}\` | ${what} | ${bitsPerByte.toFixed(3)} | ${perplexity.toFixed(3)} |`;
  };
  return `# A sample experiment

Three small language models on the same text:

- \`smoe.moe.yaml\`: a sparse mixture of experts;
- \`mh-moe.moe.yaml\`: its multi-head twin, with as many multiply-adds per token;
- \`dense.moe.yaml\`: the same without routing.

Open one and choose *Start Run* at its top, or run \`moe-lab run smoe.moe.yaml\` in a terminal.

## The text

\`corpus/\` holds four kinds of text, drawn from a grammar whose every choice has a known probability. So the best that any model can reach is known:

| kind | what is there to learn | bits per byte, at best | perplexity, at best |
|---|---|---|---|
${row('prose', 'words, pronouns that fit the name, which nouns follow which verb')}
${row('arithmetic', 'sums, differences and products of one-digit numbers')}
${row('lists', 'the order of days, months, planets and colours, forwards and backwards')}
${row('code', 'looking up the values of variables')}

A run shows its perplexity per kind. It starts near 256 (no idea which byte comes next) and falls towards the last column. It stays above: a few hundred steps
are few, and every validation window begins in the middle of a text, so that for example the values that a program prints may lie before it.
`;
}
