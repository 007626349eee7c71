import { choicesVary } from '../config/moeShape';
import { moeSchema } from '../config/moeSchema';
import { hasRoutedLayer } from '../config/placement';
import type { Experiment, ModelConfig, MoeConfig } from '../config/schema';
import { NoTwin } from './fixedKTwin';

/** smoe: one expert a token. fine-grained: more and smaller ones (2401.06066). mh-moe: sub-tokens (2411.16205). */
export const twinFamilies = ['smoe', 'fine-grained', 'mh-moe'] as const;
export type TwinFamily = (typeof twinFamilies)[number];

/** Sub-tokens of a twin where nobody says how many. */
export const DEFAULT_HEADS = 2;
/** Experts of a token in a fine-grained model for each one of a plain one. */
const GRANULARITY = 2;
/** Of a sparse twin of a dense model, which says nothing of how many there are to be. */
const EXPERTS_OF_DENSE = 8;

/** Keys of `moe` that only sub-tokens have. */
export const ofSubTokens = [
  'heads',
  'head_layer',
  'merge_layer',
  'projection_bias',
  'inner_residual',
  'ablation',
] as const satisfies readonly (keyof MoeConfig)[];

/** Whether a model has a twin at equal cost in some family, or why not. */
function requireTwins(name: string, { model }: Experiment): void {
  if (model.product_keys !== undefined && !hasRoutedLayer(model))
    throw new NoTwin(
      `${name} retrieves its experts by product keys, and a retrieval has no twin that routes.`,
      'Choose a dense, SMoE or MH-MoE config.',
    );
  if (model.moe === undefined || !choicesVary(model.moe)) return;
  throw new NoTwin(
    `Units of ${name} take different numbers of experts (select: ${model.moe.router.select}).`,
    'Create its fixed-k twin first, then the twin of that.',
  );
}

function isOfFamily({ moe }: ModelConfig, family: TwinFamily, heads: number): boolean {
  if (moe === undefined) return false;
  if (family === 'mh-moe') return moe.kind === 'mh-moe' && moe.heads === heads;
  return moe.kind === 'smoe' && (family === 'smoe' ? moe.top_k === 1 : moe.top_k > 1);
}

/** What sizes are solved for: a model of the family, and the one that it is to cost as much as. */
export interface TwinProblem {
  /** Its number and width of experts are a beginning. */
  readonly start: Experiment & { readonly model: { readonly moe: MoeConfig } };
  /** The subject; of a dense one its SMoE twin, as a dense model cannot say how many experts there are to be. */
  readonly reference: Experiment;
}

/** Throws NoTwin. */
export function twinProblem(name: string, subject: Experiment, family: TwinFamily, heads: number): TwinProblem {
  requireTwins(name, subject);
  const { model } = subject;
  if (family === 'mh-moe' && (!Number.isInteger(heads) || heads < 2 || model.d_model % heads !== 0)) {
    throw new NoTwin(
      `A token of width ${model.d_model} cannot be split into ${heads} sub-tokens.`,
      'Choose a number of heads that divides d_model, at least 2.',
    );
  }
  if (isOfFamily(model, family, heads))
    throw new NoTwin(`${name} is of that family already.`, 'Choose another family, or another number of heads.');
  const reference = model.moe === undefined ? { ...subject, model: { ...model, moe: sparse(model) } } : subject;
  const moe = reference.model.moe ?? sparse(model);
  return { start: { ...subject, model: { ...model, moe: family === 'mh-moe' ? multiHead(moe, heads) : plain(moe, family) } }, reference };
}

/** A dense model's feed-forward network, eight times. */
function sparse({ ffn }: ModelConfig): MoeConfig {
  return moeSchema.parse({ kind: 'smoe', experts: EXPERTS_OF_DENSE, top_k: 1, expert_width: ffn.width });
}

function plain(moe: MoeConfig, family: 'smoe' | 'fine-grained'): MoeConfig {
  const k = family === 'smoe' ? 1 : GRANULARITY;
  const unsplit = Object.fromEntries(ofSubTokens.map((key) => [key, undefined]));
  return moeSchema.parse({ ...moe, ...unsplit, kind: 'smoe', top_k: k, experts: Math.max(moe.experts, k), router: routerFor(moe, k) });
}

/** As many experts for each sub-token as a token has sub-tokens: 2 of 2, 3 of 3 (2411.16205 section 3). */
function multiHead(moe: MoeConfig, heads: number): MoeConfig {
  return { ...moe, kind: 'mh-moe', heads, top_k: heads, experts: Math.max(moe.experts, heads), router: routerFor(moe, heads) };
}

/** `balance: switch` is of a single choice (2101.03961). */
function routerFor({ router }: MoeConfig, k: number): MoeConfig['router'] {
  return router.balance === 'switch' && k > 1 ? { ...router, balance: 'gshard_first' } : router;
}
