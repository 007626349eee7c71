import type { ExperimentInput } from '../schema';

/** A figure as its source prints it, `46.7 B` or `4,718,592`, and where. */
export interface PublishedFigure {
  readonly printed: string;
  readonly where: string;
}

/** What the source prints about the model's cost; nothing here is computed. */
export interface PublishedCounts {
  readonly total?: PublishedFigure;
  readonly active?: PublishedFigure;
  /** Matrices of the routed experts, all layers. */
  readonly expertParameters?: PublishedFigure;
  /** All others, head and merge layers included. */
  readonly otherParameters?: PublishedFigure;
  /** Of the attention of one layer over one sequence. */
  readonly attentionMacs?: PublishedFigure;
  /** Floats of the attention of one layer over one sequence. */
  readonly attentionMemory?: PublishedFigure;
}

export interface PublishedPerplexity {
  readonly dataset: string;
  /** Null where the source prints none. */
  readonly step: number | null;
  readonly value: number;
  readonly where: string;
}

/** A published result that is no perplexity. */
export interface PublishedResult {
  readonly metric: 'bits per character' | 'accuracy %' | 'expert usage %' | 'unevenness, nats';
  readonly dataset: string;
  readonly step: number | null;
  readonly value: number;
  readonly where: string;
}

/** What the source says about a model's cost beside another's, for docs/parity-table.md to hold against the counts. */
export interface CostClaim {
  /** `parameters` and `macs` of a routed layer without its router, as 2411.16205 counts. */
  readonly of: 'parameters' | 'macs';
  readonly relation: 'equal' | 'less';
  /** Id of the preset it is compared with. */
  readonly to: string;
  readonly where: string;
}

/** A published model as a config. */
export interface Preset {
  /** What the command line calls it, for example `mh-moe/table-1/smoe`. */
  readonly id: string;
  readonly title: string;
  /** Groups the lists: the paper's name and number. */
  readonly paper: string;
  /** Where the values come from. */
  readonly source: string;
  /** What the source does not say, and what was chosen; each one a sentence. */
  readonly gaps: readonly string[];
  /** Where the source contradicts itself or what is said about it. */
  readonly flags: readonly string[];
  /** Rules whose findings are what the source does, by their codes: the reason that the config gives for suppressing them. */
  readonly suppressed?: Readonly<Record<string, string>>;
  readonly published: PublishedCounts;
  readonly perplexity: readonly PublishedPerplexity[];
  readonly results?: readonly PublishedResult[];
  readonly claims: readonly CostClaim[];
  /** The preset that parity is shown against, its own paper's SMoE; absent where there is none. */
  readonly baseline?: string;
  /** Without `data`: its text is not ours to name. Without `train` where the source does not say how it was trained. */
  readonly experiment: ExperimentInput;
}
