import type { ConfigFinding } from './configFile';
import { rules } from './semanticRules';

/** A named rule, as pages, settings and lists of rules know it. */
export interface RuleCode {
  readonly code: string;
  readonly severity: ConfigFinding['severity'];
  /** No full stop. */
  readonly summary: string;
  /** Whether its severity can be set and its findings suppressed; all others keep a program from being built. */
  readonly advisory: boolean;
  /** Whether it looks beyond configs, at the machine or at other texts: what it finds here it may not find elsewhere. */
  readonly environment?: boolean;
}

/** What a rule says, as a sentence; a key in backticks at its beginning stays as it is spelt. */
export function ruleSentence({ summary }: Pick<RuleCode, 'summary'>): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}

const error = (code: string, summary: string): RuleCode => ({ code, severity: 'error', summary, advisory: false });
const warning = (code: string, summary: string): RuleCode => ({ code, severity: 'warning', summary, advisory: true });

/** What is found in texts and files, before values are looked at together. */
const fileCodes: readonly RuleCode[] = [
  error('yaml-syntax', 'the text is not YAML, or more of it than a config can be'),
  error('duplicate-key', 'a key is there twice'),
  error('unknown-key', 'a key that nothing reads'),
  error('missing-key', 'a key that must be there is not'),
  error('invalid-value', 'a value that its key cannot have'),
  error('empty-config', 'the config says nothing'),
  error('missing-file', 'there is no such config'),
  error('extends-missing', 'the base is not there'),
  error('extends-cycle', 'configs extend each other in a circle'),
  { ...warning('parity-missing', 'the baseline is not there'), environment: true },
];

/** Of `sweep:`. */
const sweepCodes: readonly RuleCode[] = [
  error('sweep-size', 'a sweep has more members than can be looked at'),
  error('sweep-key', 'a sweep names a key that there is not'),
  error('sweep-member', 'a member of a sweep is no valid config'),
];

/** Of severities and suppressions themselves. */
const lintCodes: readonly RuleCode[] = [
  warning('lint-unknown-rule', '`lint` names a rule that there is not'),
  warning('lint-fixed-rule', '`lint` names a rule whose severity is fixed'),
  warning('suppression-reason', 'a suppression gives no reason, and so suppresses nothing'),
  warning('suppression-unknown', 'a suppression names a rule that there is not, or one that cannot be suppressed'),
  { code: 'suppression-unused', severity: 'information', summary: 'a suppression that suppresses nothing', advisory: true },
];

/** The rules of this room; `language/ruleList.ts` has those of all rooms. */
export const ruleCodes: readonly RuleCode[] = [
  ...fileCodes,
  ...rules.map(({ code, severity, summary }) => ({ code, severity, summary, advisory: severity !== 'error' })),
  ...sweepCodes,
  ...lintCodes,
];

/**
 * Whether a comment can suppress what the rule finds. Of what is said of suppressions themselves that would go round in a circle; `lint`
 * can set it.
 */
export function isSuppressible({ code, advisory }: RuleCode): boolean {
  return advisory && !code.startsWith('suppression-');
}
