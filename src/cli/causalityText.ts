import type { Causality } from '../config/causality';

/** What the output of other programs says of a model; `causal` is null where this version does not understand the config. */
export function causalityJson(causality: Causality | undefined): object {
  return { causal: causality?.causal ?? null, notCausal: causality?.reasons.map(({ path, reason }) => ({ path, reason })) ?? [] };
}

/** Stands beside a perplexity in a list; empty for a causal model. */
export function causalityTag(causality: Causality | undefined): string {
  return causality === undefined ? 'causality unknown' : causality.causal ? '' : 'not causal';
}

/** The name of a column or row of figures, with the tag. */
export function taggedName(name: string, causality: Causality | undefined): string {
  const tag = causalityTag(causality);
  return tag === '' ? name : `${name} (${tag})`;
}

/** Why, below a table of several models. */
export function causalityNotes(name: string, causality: Causality | undefined): readonly string[] {
  if (causality === undefined) return [`${name}: Whether it is causal is unknown: this version does not understand its config.`];
  return causality.reasons.map(({ reason }) => `${name}: ${reason}`);
}
