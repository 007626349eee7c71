/** What most examples on pages of rules leave out: docs/rules.md shows it. */
export { baseOfExamples } from '../../src/language/ruleIndex';

export interface RuleExample {
  /** Whether the rule of the page finds something in it, would but for a comment in it, or nothing is to be found at all. */
  readonly kind: 'finds' | 'suppressed' | 'clean';
  /** In the page, from 1. */
  readonly line: number;
  readonly config: string;
}

const marked = /^<!-- (finds|suppressed|clean)(, whole file)? -->\n+```yaml\n([\s\S]*?)```$/gm;

/** Examples of a page: marked `<!-- finds -->`, `<!-- suppressed -->` or `<!-- clean -->`, of a whole file or laid over the base. */
export function examplesOf(page: string): readonly RuleExample[] {
  return [...page.matchAll(marked)].map(({ 1: kind, 2: whole, 3: text = '', index }) => ({
    kind: kind === 'finds' || kind === 'suppressed' ? kind : 'clean',
    line: page.slice(0, index).split('\n').length,
    config: whole ? text : `extends: base.moe.yaml\n${text}`,
  }));
}

/** Other configs that a page speaks of: marked `<!-- file NAME -->`. */
export function filesOf(page: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    [...page.matchAll(/^<!-- file (\S+) -->\n+```yaml\n([\s\S]*?)```$/gm)].map(([, name = '', text]) => [name, text ?? '']),
  );
}
