import { isMapping } from './mapping';

/** Keys that `model.moe` had in version 0.1.0, and `model.moe.router` has since. */
export const movedToRouter: readonly string[] = ['renormalize', 'balance_weight'];

/**
 * A resolved config as run.json keeps it, with the keys of `movedToRouter` where this version reads them: a run of an earlier version can
 * then be shown and resumed. Their meaning is unchanged. Whatever else is in it stays; nothing is checked.
 */
export function withKeysMovedToRouter(experiment: unknown): unknown {
  const model = isMapping(experiment) ? experiment['model'] : undefined;
  const moe = isMapping(model) ? model['moe'] : undefined;
  if (!isMapping(experiment) || !isMapping(model) || !isMapping(moe)) return experiment;
  const entries = Object.entries(moe);
  const moved = entries.filter(([key]) => movedToRouter.includes(key));
  if (moved.length === 0) return experiment;
  const kept = entries.filter(([key]) => !movedToRouter.includes(key));
  const router = { ...Object.fromEntries(moved), ...(isMapping(moe['router']) ? moe['router'] : {}) };
  return { ...experiment, model: { ...model, moe: { ...Object.fromEntries(kept), router } } };
}
