import type { PathFinding } from './pathFinding';
import { attentionHeads, keyValueHeads, oddHeadWidth } from './rules/attention';
import { attentionTopK, expertsOfSharedHeads, projectionList, quantisedAttentionExperts, sharedSelection } from './rules/attentionExperts';
import {
  balanceOfBiased,
  balanceOfExpertChoice,
  globalOfOneMicrobatch,
  globalWithoutWeight,
  lossFreeSelection,
  lossWithoutWeight,
  switchBalance,
  weightWithoutLoss,
} from './rules/balance';
import { biasBesideLoss, nothingBalances } from './rules/balancing';
import { ampleCapacity, capacityInTrainingOnly, capacityOfExpertChoice, onlyWithCapacity, priorityOfOne } from './rules/capacity';
import { notCausal } from './rules/causality';
import { dropoutWithoutChoice, expertChoiceDropout } from './rules/expertDropout';
import { frozenBiased, frozenRouter, frozenTemperature } from './rules/frozen';
import { deviationOfFanIn } from './rules/initialization';
import { learningRateRange } from './rules/learningRate';
import { lazyDecay, lazySteps } from './rules/lazyOptimizer';
import { biasOfNothing, isoMacWidth, moeHeads, nothingLeftOut, oneHead, onlyForMultiHead } from './rules/multiHead';
import { allExperts, oneExpert } from './rules/nothingToChoose';
import { nothingRotated, relativeOfMasked, relativeOfOddWidth, relativePadding, rotationWithoutRope } from './rules/position';
import {
  activationOfValues,
  evenKeyWidth,
  moreRetrievalsThanExperts,
  normOfOneToken,
  productKeyLayerList,
  quantisedTables,
  retrievedAtMost,
  routedTwice,
  singleRetrieved,
  squareExperts,
} from './rules/productKeys';
import { quantizedProjections } from './rules/quantisation';
import { everyAndLayers, noRoutedLayer, routedLayerList, topK } from './rules/routedLayers';
import type { Rule } from './rules/rule';
import {
  cosineOfNumbers,
  expertChoiceRenormalized,
  expertChoiceUnits,
  onlyForBiased,
  onlyForCosine,
  renormalizedSingle,
} from './rules/selection';
import { tensorSize } from './rules/tensorSize';
import {
  batchTokens,
  maskedAlone,
  maskedCopies,
  maskingShares,
  maskingWithoutMasks,
  minimumLearningRate,
  minimumOfConstant,
  vocabulary,
  warmup,
} from './rules/training';
import {
  importanceOfCausal,
  importanceOfRelative,
  nothingVaries,
  onlyForDynamic,
  onlyForTopP,
  rangeOfChoices,
  spreadingRouter,
  topPOfSigmoid,
} from './rules/varyingChoices';
import type { Experiment } from './schema';
import { isMapping } from './mapping';
import type { KeyPath } from './yamlTree';

/** Their order is the order in which findings of one place are shown, and that of docs/config.md. */
export const rules: readonly Rule[] = [
  attentionHeads,
  oddHeadWidth,
  keyValueHeads,
  rotationWithoutRope,
  nothingRotated,
  relativeOfMasked,
  relativeOfOddWidth,
  attentionTopK,
  projectionList,
  expertsOfSharedHeads,
  quantisedAttentionExperts,
  sharedSelection,
  everyAndLayers,
  routedLayerList,
  noRoutedLayer,
  topK,
  oneExpert,
  allExperts,
  moeHeads,
  oneHead,
  onlyForMultiHead,
  isoMacWidth,
  nothingLeftOut,
  biasOfNothing,
  balanceOfExpertChoice,
  capacityOfExpertChoice,
  expertChoiceRenormalized,
  expertChoiceDropout,
  expertChoiceUnits,
  importanceOfCausal,
  importanceOfRelative,
  rangeOfChoices,
  nothingVaries,
  onlyForDynamic,
  onlyForTopP,
  spreadingRouter,
  topPOfSigmoid,
  notCausal,
  relativePadding,
  balanceOfBiased,
  lossFreeSelection,
  switchBalance,
  nothingBalances,
  biasBesideLoss,
  weightWithoutLoss,
  lossWithoutWeight,
  globalWithoutWeight,
  globalOfOneMicrobatch,
  renormalizedSingle,
  onlyForCosine,
  cosineOfNumbers,
  onlyForBiased,
  dropoutWithoutChoice,
  onlyWithCapacity,
  ampleCapacity,
  priorityOfOne,
  capacityInTrainingOnly,
  frozenBiased,
  frozenRouter,
  frozenTemperature,
  quantizedProjections,
  squareExperts,
  retrievedAtMost,
  evenKeyWidth,
  productKeyLayerList,
  routedTwice,
  activationOfValues,
  singleRetrieved,
  moreRetrievalsThanExperts,
  normOfOneToken,
  quantisedTables,
  lazyDecay,
  lazySteps,
  deviationOfFanIn,
  tensorSize,
  vocabulary,
  maskingShares,
  maskedCopies,
  maskedAlone,
  maskingWithoutMasks,
  batchTokens,
  warmup,
  learningRateRange,
  minimumLearningRate,
  minimumOfConstant,
];

/** What values together get wrong. `stated` is what the config and its bases say, without defaults. */
export function semanticFindings(experiment: Experiment, stated: unknown): PathFinding[] {
  const input = { experiment, states: (...path: KeyPath) => isStated(stated, path) };
  return rules.flatMap((rule) => [rule.check(input) ?? []].flat().map((found) => ({ severity: rule.severity, code: rule.code, ...found })));
}

function isStated(value: unknown, [key, ...rest]: KeyPath): boolean {
  if (key === undefined) return value !== undefined;
  if (!isMapping(value) || !Object.hasOwn(value, key)) return false;
  return isStated(value[String(key)], rest);
}
