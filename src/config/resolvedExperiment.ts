import { dotted } from './describeKey';
import { withKeysMovedToRouter } from './movedKeys';
import { experimentSchema, type Experiment } from './schema';
import type { KeyPath } from './yamlTree';

/** A resolved config as it was understood, or the key that was not: dotted, empty where it is the whole. */
export type ResolvedExperiment = { readonly experiment: Experiment } | { readonly experiment: undefined; readonly key: string };

/** Reads the resolved config of a run.json, which an earlier version, or a later one, may have written. */
export function readResolvedExperiment(value: unknown): ResolvedExperiment {
  const parsed = experimentSchema.safeParse(withKeysMovedToRouter(value));
  if (parsed.success) return { experiment: parsed.data };
  const [issue] = parsed.error.issues;
  const parent: KeyPath = (issue?.path ?? []).map((key) => (typeof key === 'symbol' ? String(key) : key));
  return { experiment: undefined, key: dotted(issue?.code === 'unrecognized_keys' ? [...parent, ...issue.keys.slice(0, 1)] : parent) };
}
