import { headWidth } from '../../config/attentionShape';
import type { ModelConfig } from '../../config/schema';
import type { ComparedScope } from '../comparedPart';
import { attentionCost } from '../closedForm/attentionCost';
import { placementOf } from '../closedForm/modelTotals';
import type { Knob } from './knobs';
import {
  attentionExperts,
  attentionHeads,
  attentionHeadWidth,
  attentionTopK,
  experts,
  expertWidth,
  ffnWidth,
  keyWidth,
  moeHeads,
  retrievalHeads,
  retrievalTopK,
  retrievedExperts,
  topK,
} from './knobs';

/**
 * A knob of which each of a few values is tried: those that decide what kind of model it is, so that few differ from the subject in them.
 */
export interface TriedKnob {
  readonly knob: Knob;
  /** The subject's own first. */
  readonly values: readonly number[];
}

/** How the sizes of an architecture are found. */
export interface SolverPlan {
  readonly tried: readonly TriedKnob[];
  /** For each combination of those, the ones that equations give: one or two, the one with the coarser effect first. */
  readonly solved: readonly Knob[];
  /**
   * Whether choices are ranked by residuals with what chooses experts: with product keys that is most of the work (2407.04153 section 2).
   */
  readonly ranksWithRouter: boolean;
}

const fewExperts = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16];

/**
 * The knobs that bring `subject` to the cost of `baseline`. Where attention differs and has experts it is sized, and a feed-forward width
 * fills up what that leaves (2312.07987 section 3.1); else the layers behind it are.
 */
export function planOf(subject: ModelConfig, baseline: ModelConfig, scope: ComparedScope): SolverPlan {
  const differs = scope === 'attention' || (scope === 'model' && !same(attentionCost(subject), attentionCost(baseline)));
  if (differs && subject.attention.moe !== undefined) return switchHeadPlan(subject, baseline);
  if (scope === 'attention') return { tried: [], solved: [attentionHeadWidth, ffnWidth], ranksWithRouter: false };
  return feedForwardPlan(subject, baseline);
}

function feedForwardPlan(model: ModelConfig, baseline: ModelConfig): SolverPlan {
  const { routed, retrieving } = placementOf(model);
  // Where a model has both, and experts are the baseline's, what retrieves is what differs.
  const onlyRetrieves = routed === 0 || (retrieving > 0 && same(model.moe, baseline.moe));
  if (model.moe !== undefined && !onlyRetrieves) {
    const tried = [{ knob: topK, values: startingWith(model.moe.top_k, fewExperts) }];
    const heads = { knob: moeHeads, values: startingWith(model.moe.heads, headCounts(model.d_model)) };
    return { tried: model.moe.kind === 'mh-moe' ? [heads, ...tried] : tried, solved: [expertWidth, experts], ranksWithRouter: false };
  }
  if (model.product_keys !== undefined && retrieving > 0) {
    const { heads, key_width: width } = model.product_keys;
    return {
      tried: [
        { knob: retrievalHeads, values: startingWith(heads, [1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64]) },
        { knob: keyWidth, values: startingWith(width, [64, 128, 256]) },
      ],
      solved: [retrievalTopK, retrievedExperts],
      ranksWithRouter: true,
    };
  }
  return { tried: [], solved: [ffnWidth], ranksWithRouter: false };
}

function switchHeadPlan(subject: ModelConfig, baseline: ModelConfig): SolverPlan {
  const { heads, moe } = subject.attention;
  const placement = placementOf(subject);
  const filling = placement.dense > 0 ? ffnWidth : placement.routed > 0 ? experts : retrievedExperts;
  return {
    tried: [
      { knob: attentionHeads, values: startingWith(heads, [2, 4, 8, baseline.attention.heads]) },
      { knob: attentionExperts, values: startingWith(moe?.experts ?? 1, [2, 3, 4, 5, 6, 8]) },
      { knob: attentionTopK, values: startingWith(moe?.top_k ?? 1, [1, 2, 3, 4]) },
    ],
    solved: [attentionHeadWidth, filling],
    ranksWithRouter: false,
  };
}

/** Into how many sub-tokens a token of width d is split, each at least 8 wide. */
function headCounts(d: number): readonly number[] {
  return fewExperts.filter((heads) => d % heads === 0 && d / heads >= 8);
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function startingWith(first: number, others: readonly number[]): readonly number[] {
  return [...new Set([first, ...others])];
}

/** The plan with only the knobs of some keys. */
export function onlyKeys({ tried, solved, ranksWithRouter }: SolverPlan, keys: readonly string[]): SolverPlan {
  const mayChange = ({ key }: Knob): boolean => keys.includes(key);
  return { tried: tried.filter(({ knob }) => mayChange(knob)), solved: solved.filter(mayChange), ranksWithRouter };
}

/** Models that differ from the subject in more of the tried sizes than this are not of its kind. */
const mostDiffering = 2;

/** Where two of them differ, only usual values are tried. */
const mostUsual = 8;

/** The subject, and it with other tried values: any value of one of them, and usual values of two. */
export function combinations(model: ModelConfig, tried: readonly TriedKnob[]): readonly ModelConfig[] {
  let found: readonly Combination[] = [{ model: withStatedHeadWidth(model, tried), changed: [] }];
  for (const { knob, values } of tried) {
    found = found.flatMap((one) =>
      values.flatMap((value) => {
        if (knob.of(one.model) === value) return one;
        const changed = [...one.changed, value];
        return isTried(changed) ? { model: knob.with(one.model, value), changed } : [];
      }),
    );
  }
  return found.map((one) => one.model);
}

interface Combination {
  readonly model: ModelConfig;
  /** The values that are not the subject's. */
  readonly changed: readonly number[];
}

function isTried(changed: readonly number[]): boolean {
  return changed.length < 2 || (changed.length <= mostDiffering && changed.every((value) => value <= mostUsual));
}

/** Heads that come and go leave the width of each as it is. */
function withStatedHeadWidth(model: ModelConfig, tried: readonly TriedKnob[]): ModelConfig {
  return tried.some(({ knob }) => knob === attentionHeads) ? attentionHeadWidth.with(model, headWidth(model)) : model;
}
