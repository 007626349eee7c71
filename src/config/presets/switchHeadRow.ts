/**
 * The models of 2312.07987v3 as data: sizes and training from its Table 9 and the sweeps of RobertCsordas/moe_attention at 7169ad3, figures
 * from its Tables 1 to 4 and 6 to 8.
 */

/** What all models of a size share. */
export interface SwitchHeadSize {
  readonly name: string;
  readonly width: number;
  readonly layers: number;
  readonly context: number;
  readonly position: 'xl' | 'rope';
  readonly vocabulary: number;
  readonly batch: number;
  readonly clip: number;
  readonly warmup: number;
  /** In feed-forward networks and on what they and attention give. */
  readonly dropout: number;
  /** Heads of the dense model that the others are matched to. */
  readonly denseHeads: number;
}

const small = { width: 412, layers: 16, vocabulary: 8000, batch: 64, clip: 0.1, warmup: 0, dropout: 0.1, denseHeads: 10 } as const;
const large = { width: 1024, layers: 18, vocabulary: 8000, batch: 64, clip: 0.25, warmup: 4000, dropout: 0.2, denseHeads: 16 } as const;

export const switchHeadSizes = {
  '47m': { ...small, name: '47 M', context: 256, position: 'xl' },
  '262m': { ...large, name: '262 M', context: 512, position: 'xl' },
  '41m': {
    ...small,
    name: '41 M',
    width: 512,
    layers: 12,
    context: 512,
    position: 'xl',
    vocabulary: 256,
    batch: 32,
    clip: 0.25,
    denseHeads: 8,
  },
  '45m': { ...small, name: '45 M', context: 512, position: 'rope' },
  '243m': { ...large, name: '243 M', context: 1024, position: 'rope' },
} as const satisfies Readonly<Record<string, SwitchHeadSize>>;

export type SwitchHeadSizeId = keyof typeof switchHeadSizes;

export type Projection = 'query' | 'key' | 'value' | 'output';

/** Experts of one head. */
export interface HeadExperts {
  readonly experts: number;
  readonly k: number;
  /** Value and output where absent. */
  readonly projections?: readonly Projection[];
  readonly shared?: true;
}

/** A sigma-MoE in place of the feed-forward network; its experts are 128 wide, 4 for each token. */
export interface SigmaMoe {
  readonly experts: number;
  readonly balanceWeight: number;
  readonly expertDropout: number;
}

export interface Figure {
  readonly metric?: 'bits per character';
  readonly dataset: string;
  readonly value: number;
  readonly table: number;
}

export interface Accuracy {
  readonly dataset: 'Lambada' | 'BLiMP' | 'CBT';
  readonly value: number;
  readonly table: number;
}

export interface SwitchHeadRow {
  /** After `switchhead/`. */
  readonly id: string;
  readonly title: string;
  readonly size: SwitchHeadSizeId;
  readonly heads: number;
  readonly headWidth: number;
  readonly ffn: number;
  readonly moe?: HeadExperts;
  readonly sigma?: SigmaMoe;
  /** Where the sweep of this row says otherwise than those of its size. */
  readonly clip?: number;
  /** As printed: parameters, MACs and floats of attention, and the table. */
  readonly published?: { readonly total?: string; readonly macs?: string; readonly memory?: string; readonly where: string };
  readonly figures: readonly Figure[];
  readonly accuracies?: readonly Accuracy[];
  readonly gaps?: readonly string[];
  readonly flags?: readonly string[];
}

/** A perplexity as printed. */
export const at = (table: number, dataset: string, value: number): Figure => ({ dataset, value, table });
export const scored = (table: number, lambada: number, blimp: number, cbt?: number): readonly Accuracy[] => [
  { dataset: 'Lambada', value: lambada, table },
  { dataset: 'BLiMP', value: blimp, table },
  ...(cbt === undefined ? [] : [{ dataset: 'CBT', value: cbt, table } as const]),
];

export const WIKI = 'WikiText-103';

export const sharedSizes =
  'The sizes of the models with a shared selection are not printed: those of SwitchHead in the same table are taken.';
