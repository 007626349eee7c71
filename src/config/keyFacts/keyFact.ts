/**
 * What a hover says about a key beside its description. Letters as in the papers: d model width, n matrices per expert, h sub-tokens, T
 * context.
 */
export interface KeyFact {
  /** What is computed with it. */
  readonly formula?: string;
  /** What more of it, or the other choice, does to cost or training; a sentence. */
  readonly effect: string;
  /** Where formula and values come from. */
  readonly source?: string;
}

/** By dotted path below the section, or by the whole one. */
export type KeyFacts = Readonly<Record<string, KeyFact>>;
