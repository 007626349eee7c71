import { attentionFacts } from './attentionFacts';
import type { KeyFact, KeyFacts } from './keyFact';
import { modelFacts } from './modelFacts';
import { productKeyFacts } from './productKeyFacts';
import { routedFacts } from './routedFacts';
import { runFacts } from './runFacts';

/** By dotted path. */
export const keyFacts: KeyFacts = { ...runFacts, ...modelFacts, ...attentionFacts, ...routedFacts, ...productKeyFacts };

/** Markdown for hovers, here and in other editors: what a key means, the formula it is in, what it does, and where that comes from. */
export function keyMarkdown(description: string, fact: KeyFact | undefined): string {
  if (fact === undefined) return description;
  const { formula, effect, source } = fact;
  const lines = [formula === undefined ? undefined : `\`${formula}\``, effect, source === undefined ? undefined : `*Source: ${source}.*`];
  return [description, ...lines].filter((line) => line !== undefined && line !== '').join('\n\n');
}
