import { attentionFacts } from './attentionFacts';
import type { KeyFact, KeyFacts } from './keyFact';
import { modelFacts } from './modelFacts';
import { productKeyFacts } from './productKeyFacts';
import { routedFacts } from './routedFacts';
import { runFacts } from './runFacts';
import { sectionFacts } from './sectionFacts';

/** By dotted path. */
export const keyFacts: KeyFacts = { ...sectionFacts, ...runFacts, ...modelFacts, ...attentionFacts, ...routedFacts, ...productKeyFacts };

/** What a key means and does, and the formula it is in; where that comes from stands apart, since it is read last. */
export function keyMeaning(description: string, fact: KeyFact | undefined): string {
  const sentences = [description, fact?.effect].filter((text) => text !== undefined && text !== '').join(' ');
  return fact?.formula === undefined ? sentences : `${sentences}\n\n\`${fact.formula}\``;
}

export function keySource(fact: KeyFact | undefined): string | undefined {
  return fact?.source === undefined ? undefined : `*Source: ${fact.source}.*`;
}

/** Markdown for hovers of other editors. */
export function keyMarkdown(description: string, fact: KeyFact | undefined): string {
  return [keyMeaning(description, fact), keySource(fact)].filter((part) => part !== undefined).join('\n\n');
}
