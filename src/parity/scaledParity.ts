import type { Experiment, ModelConfig, ProductKeysConfig } from '../config/schema';
import { withValue } from '../config/keyValues';
import { modelCost } from './closedForm/modelCost';
import { comparedResiduals, costLimits } from './comparedPart';
import { bothCounts, evenness, type Evenness } from './evenness';
import type { Axis } from './solver/equations';
import { solve, type Choice, type ParityTarget } from './solver/solve';
import { isSparse } from './sparsity';

/** What a pair is equal in, so that it is again once it is scaled. */
export interface KeptParity {
  readonly target: ParityTarget;
  /** Whether what chooses experts counts; undefined where it does as the architecture is usually counted. */
  readonly withRouter: boolean | undefined;
}

/**
 * Widths, and numbers of experts: what makes a model of its kind stays. Of a retrieval an expert is a neuron, so that `top_k` is its width.
 */
const widths = [
  'model.moe.expert_width',
  'model.moe.experts',
  'model.ffn.width',
  'model.attention.head_width',
  'model.product_keys.top_k',
  'model.product_keys.experts',
];

/** Where those do not suffice: queries and keys of a narrow retrieval may cost more than all that they are held against. */
const ofRetrieval = ['model.product_keys.heads', 'model.product_keys.key_width'] as const;

/** Enough for every number of heads and width of keys that the solver tries. */
const MOST = 100;

/** Papers match MACs first, parameters as near as whole numbers of experts are (2411.16205 section 3 has 3 % of difference). */
const EQUAL_MACS = 0.002;

/**
 * A sparse model and a dense one can seldom be equal in both MACs and parameters: they are again in what they were equal in, as SwitchHead
 * in parameters (2312.07987), in MACs where that was nothing. Others are in both.
 */
export function keptParity(subject: ModelConfig, baseline: ModelConfig): KeptParity {
  const residuals = comparedResiduals(modelCost(subject), modelCost(baseline));
  const [macs, parameters] = [evenness(residuals, 'macs'), evenness(residuals, 'parameters')];
  const isOneDense = isSparse(subject) !== isSparse(baseline);
  const target =
    !isOneDense || (macs !== 'neither' && parameters !== 'neither') ? 'both' : parameters === 'neither' ? 'macs' : 'parameters';
  return { target, withRouter: countedIn(target === 'parameters' ? parameters : macs) };
}

function countedIn(even: Evenness): boolean | undefined {
  return even === 'with router' ? true : even === 'without router' ? false : undefined;
}

/** The scaled subject at parity with its scaled baseline, as near as whole numbers come. */
export function atParity(subject: Experiment, baseline: Experiment, { target, withRouter }: KeptParity): ModelConfig {
  const options = { target, ...(withRouter === undefined ? {} : { withRouter }) };
  const solution = solve(subject, baseline, { ...options, keys: widths });
  const isWithin = (choice: Choice, macs: number): boolean => {
    const of = (axis: Axis): number => Math.abs(bothCounts(choice, axis)[solution.withRouter ? 1 : 0]);
    return (target === 'parameters' || of('macs') <= macs) && (target === 'macs' || of('parameters') <= costLimits.parameters);
  };
  const best = solution.choices.find((choice) => isWithin(choice, EQUAL_MACS)) ?? solution.choices[0];
  const isFair = best !== undefined && isWithin(best, costLimits.macs);
  const keys = subject.model.product_keys;
  if (isFair || keys === undefined) return withChoice(subject, best);
  const others = solve(subject, baseline, { ...options, keys: [...widths, ...ofRetrieval], limit: MOST }).choices;
  return withChoice(
    subject,
    nearest(
      others.filter((choice) => isWithin(choice, costLimits.macs)),
      keys,
    ) ?? best,
  );
}

/** That whose retrieval is the most like this one; the first of equals. */
function nearest(choices: readonly Choice[], { heads, key_width: width }: ProductKeysConfig): Choice | undefined {
  const [ofHeads, ofWidth] = ofRetrieval;
  const distance = ({ changes }: Choice): number =>
    Math.abs(Math.log((changes[ofHeads] ?? heads) / heads)) + Math.abs(Math.log((changes[ofWidth] ?? width) / width));
  return choices.reduce<Choice | undefined>(
    (best, choice) => (best === undefined || distance(choice) < distance(best) ? choice : best),
    undefined,
  );
}

function withChoice(subject: Experiment, choice: Choice | undefined): ModelConfig {
  return Object.entries(choice?.changes ?? {}).reduce((one, [key, value]) => withValue(one, key.split('.'), value), subject).model;
}
