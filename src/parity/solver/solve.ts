import type { Experiment, ModelConfig } from '../../config/schema';
import { semanticFindings } from '../../config/semanticRules';
import type { ModelCount } from '../../models/count';
import type { ComparedResiduals, ComparedScope } from '../comparedPart';
import { comparedParts } from '../comparedPart';
import { residuals } from '../compareWithBaseline';
import { modelCost } from '../closedForm/modelCost';
import { modelTotals, placementOf, totalsBesideRouting, withRouting } from '../closedForm/modelTotals';
import type { Against, Candidate, Problem } from './candidates';
import { candidatesOf, modelWith, problemOf, realSolution, undominated } from './candidates';
import type { Axis } from './equations';
import { modelWithChanges } from './knobs';
import type { SolverPlan } from './plan';
import { combinations, onlyKeys, planOf } from './plan';
import type { Aim, Ranked } from './ranking';
import { bestOf, isNear, ranked } from './ranking';

/** Which residuals are to vanish. */
export type ParityTarget = 'macs' | 'parameters' | 'both';

export interface SolveOptions {
  /** `both` where absent. */
  readonly target?: ParityTarget;
  /** The most choices; 20 where absent. */
  readonly limit?: number;
  /** Only these keys may change, dotted: `model.moe.expert_width`. Where absent all that the architecture has. */
  readonly keys?: readonly string[];
  /** Whether choices are ranked by residuals with what chooses experts; where absent as the architecture is usually counted. */
  readonly withRouter?: boolean;
}

/** Whole numbers for some keys of a config, and how far the model is from its baseline with them: residuals as fractions. */
export interface Choice extends ComparedResiduals {
  /** By dotted key: what was solved for, also where it stays as it is, and of heads, top_k and their like those that change. */
  readonly changes: Readonly<Record<string, number>>;
  /** Of the whole model; `parameters` includes what chooses experts. */
  readonly model: { readonly parameters: number; readonly macs: number; readonly macsWithRouter: number };
}

export interface Solution {
  /** What is compared where the subject is as it is. */
  readonly scope: ComparedScope;
  /**
   * Where the residuals vanish in real numbers, by dotted key, without what chooses experts and with it, heads, top_k and their like as in
   * the subject; empty where they cannot.
   */
  readonly exact: Readonly<Record<string, number>>;
  readonly exactWithRouter: Readonly<Record<string, number>>;
  /** Whether choices are ranked by residuals with what chooses experts. */
  readonly withRouter: boolean;
  /** Best first. That which changes nothing is among them where it is as good. */
  readonly choices: readonly Choice[];
}

const usualLimit = 20;

/**
 * Whole numbers for the sizes of `subject` that bring it to the cost of `baseline`; every choice is a config without errors or new
 * warnings. Costs are those of the whole models, so that it does not matter where they arise; residuals are those of the part that differs.
 */
export function solve(subject: Experiment, baseline: Experiment, options: SolveOptions = {}): Solution {
  const { target = 'both', limit = usualLimit, keys } = options;
  const [ours, theirs] = [modelCost(subject.model), modelCost(baseline.model)];
  const { scope, theirs: part } = comparedParts(ours, theirs);
  const whole = planOf(subject.model, baseline.model, scope);
  const plan = keys === undefined ? whole : onlyKeys(whole, keys);
  const axes: readonly Axis[] = target === 'both' ? ['macs', 'parameters'] : [target];
  const against: Against = {
    costOf: costOfChanged(subject.model, plan),
    totals: modelTotals(baseline.model, placementOf(baseline.model)),
    part,
  };
  const { withRouter = plan.ranksWithRouter } = options;
  const aim: Aim = { axes, withRouter };
  const models = combinations(subject.model, plan.tried);
  const problems = models.flatMap((model, index) => {
    const sought = index === 0 ? 'both' : withRouter ? 'withRouter' : 'withoutRouter';
    return problemOf(model, plan.solved, axes, against, sought) ?? [];
  });
  const found = problems.flatMap((problem) => promising(subject.model, problem, plan, aim));
  const isUsable = usability(subject);
  const choices: Choice[] = [];
  for (const { problem, sizes } of ranked(found, aim)) {
    if (choices.length >= limit) break;
    const model = modelWith(problem, sizes);
    if (isUsable(model)) choices.push(choiceOf(subject.model, model, plan, theirs));
  }
  const [own] = problems;
  return { scope, exact: sizesByKey(own, false), exactWithRouter: sizesByKey(own, true), withRouter, choices };
}

interface Promising extends Candidate, Ranked {
  readonly problem: Problem;
}

/** All that are of use where heads, top_k and their like stay, else the best. */
function promising(subject: ModelConfig, problem: Problem, { tried, solved }: SolverPlan, aim: Aim): readonly Promising[] {
  const differing = tried.filter(({ knob }) => knob.of(problem.model) !== knob.of(subject)).length;
  const own = solved.map((knob) => knob.of(subject));
  const candidates = candidatesOf(problem, (one) => isNear(one, aim)).map(({ sizes, residuals, eights }): Promising => ({
    ...{ sizes, residuals, eights, problem, differing },
    changed: differing + sizes.filter((size, index) => size !== own[index]).length,
  }));
  if (differing === 0) return undominated(candidates);
  const best = bestOf(candidates, aim);
  return best === undefined ? [] : [best];
}

function sizesByKey(problem: Problem | undefined, withRouter: boolean): Readonly<Record<string, number>> {
  if (problem === undefined) return {};
  return Object.fromEntries([...realSolution(problem, withRouter)].map(([{ key }, size]) => [key, size]));
}

/** The cost of a model that differs from the subject only in knobs of the plan. */
function costOfChanged(subject: ModelConfig, { tried, solved }: SolverPlan): Against['costOf'] {
  const placement = placementOf(subject);
  const onlyRouting = [...tried.map(({ knob }) => knob), ...solved].every(({ key }) => /^model\.(?:moe|product_keys)\./.test(key));
  if (!onlyRouting) return (model) => modelTotals(model, placement);
  const others = totalsBesideRouting(subject, placement);
  return (model) => withRouting(model, placement, others);
}

/** What some sizes make of a subject, and how far that is from its baseline. */
function choiceOf(subject: ModelConfig, model: ModelConfig, { tried, solved }: SolverPlan, theirs: ModelCount): Choice {
  const differing = tried.map(({ knob }) => knob).filter((knob) => knob.of(model) !== knob.of(subject));
  const changes = Object.fromEntries([...differing, ...solved].map((knob) => [knob.key, knob.of(model)]));
  return { changes, ...choiceResiduals(modelCost(model), theirs) };
}

function choiceResiduals(ours: ModelCount, theirs: ModelCount): Omit<Choice, 'changes'> {
  const { parameters, macs, macsWithRouter, compared } = residuals('', ours, theirs);
  return { ...compared, model: { parameters, macs, macsWithRouter } };
}

/** The residuals of any sizes, such as those that a paper uses. Throws RangeError for a key that the solver has no size for. */
export function evaluateChoice(subject: Experiment, baseline: Experiment, changes: Choice['changes']): Choice {
  return { changes, ...choiceResiduals(modelCost(modelWithChanges(subject.model, changes)), modelCost(baseline.model)) };
}

/** Whether a model is one that the config accepts, and says nothing new against. */
function usability(subject: Experiment): (model: ModelConfig) => boolean {
  // As if every key were stated: a size may take away the effect of one that is.
  const said = (experiment: Experiment): readonly string[] =>
    semanticFindings(experiment, experiment).flatMap(({ severity, code }) => (severity === 'information' ? [] : [code]));
  const already = new Set(said(subject));
  return (model) => said({ ...subject, model }).every((code) => already.has(code));
}
