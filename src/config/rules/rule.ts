import type { ConfigFinding } from '../configFile';
import type { KeyPath } from '../keyPath';
import type { Spot } from '../pathFinding';
import type { Remedy } from '../remedy';
import type { Experiment, MoeConfig, RouterConfig } from '../schema';

export interface RuleInput {
  /** With its defaults filled in. */
  readonly experiment: Experiment;
  /** Whether the config, or one that it extends, says something about a key: about a default nobody needs to hear. */
  states(...path: KeyPath): boolean;
}

export interface Violation {
  readonly message: string;
  /** Best first, as in PathFinding. */
  readonly spots: readonly Spot[];
  /** Where it matters more or less than the rule's severity says. */
  readonly severity?: ConfigFinding['severity'];
  /** Best first; a rule without any has none that is better than what its message says. */
  readonly remedies?: readonly Remedy[];
}

/** What is wrong with values that are each right by themselves. Pure. */
export interface Rule {
  readonly code: string;
  readonly severity: ConfigFinding['severity'];
  /** For docs/config.md; no full stop. */
  readonly summary: string;
  check(input: RuleInput): Violation | readonly Violation[] | undefined;
}

export function violation(message: string, ...spots: Spot[]): Violation {
  return { message, spots };
}

/** Where the keys of the router stand. */
export const routerPath = ['model', 'moe', 'router'] as const;

/** The router of a config that has routed layers. */
export function routerOf({ model }: Experiment): { readonly moe: MoeConfig; readonly router: RouterConfig } | undefined {
  return model.moe && { moe: model.moe, router: model.moe.router };
}
