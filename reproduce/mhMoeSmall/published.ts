/**
 * Table 1 of 2411.16205 (v3, 29 November 2024): perplexity after 50,000 and 100,000 steps of 0.5 M tokens, 12 layers of width 768,
 * LLaMA tokens, one seed a cell. Typed from the paper; only the order can be compared with what is trained here.
 */
export const publishedSets = ['RedPajama', 'Wiki', 'C4'] as const;
export type PublishedSet = (typeof publishedSets)[number];

export const table1: Readonly<Record<string, Readonly<Record<PublishedSet, readonly [at50k: number, at100k: number]>>>> = {
  Dense: { RedPajama: [13.01, 12.13], Wiki: [12.95, 11.58], C4: [17.41, 16.21] },
  SMoE: { RedPajama: [11.87, 10.9], Wiki: [10.51, 9.68], C4: [15.63, 14.35] },
  'Fine-grained SMoE': { RedPajama: [11.68, 10.74], Wiki: [10.18, 9.38], C4: [15.21, 13.97] },
  'MH-MoE (head=2)': { RedPajama: [11.6, 10.7], Wiki: [10.11, 9.26], C4: [15.11, 13.8] },
  'MH-MoE (head=3)': { RedPajama: [11.45, 10.51], Wiki: [10.0, 9.18], C4: [14.9, 13.63] },
};

export function isPublishedSet(set: string): set is PublishedSet {
  return (publishedSets as readonly string[]).includes(set);
}
