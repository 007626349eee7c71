import type { ModelConfig } from '../../config/schema';
import type { PartCost } from '../comparedPart';
import { residualsOf } from '../comparedPart';
import type { Axis, Equation } from './equations';
import { bothFor, equation, firstFor, secondFor } from './equations';
import type { Knob } from './knobs';
import type { CostSurfaces } from './surfaces';
import { costAt, costSurfaces } from './surfaces';
import type { Unknowns } from './unknowns';
import { unknownsOf } from './unknowns';
import { wholeNumbers } from './wholeNumbers';

/** A subject's cost by its sizes, and what it is held against. */
export interface Against {
  readonly costOf: (model: ModelConfig) => PartCost;
  /** Of the baseline, whole. */
  readonly totals: PartCost;
  /** Of the part of it that is compared. */
  readonly part: PartCost;
}

/** Whole numbers for the sizes that are solved for, and how far the model is from its baseline with them. */
export interface Candidate {
  /** Of the first knob and of the second, where there is one. */
  readonly sizes: readonly number[];
  readonly residuals: ReturnType<typeof residualsOf>;
  /** How many of the solved sizes are multiples of 8. */
  readonly eights: number;
}

type Sizes = readonly number[];

/** A model whose other sizes are given, and the equations for two of its sizes. */
export interface Problem {
  readonly model: ModelConfig;
  readonly first: Knob;
  readonly second: Knob | undefined;
  readonly axes: readonly Axis[];
  readonly against: Against;
  readonly unknowns: Unknowns;
  readonly costs: CostSurfaces;
  /** Without what chooses experts, and with it. */
  readonly equations: readonly [Equation, Equation];
  /** Those that whole numbers are found around. */
  readonly sought: readonly Equation[];
}

/** Which solutions are of interest: by both equations for the subject's own kind of model, by one for the many others. */
export type Sought = 'both' | 'withoutRouter' | 'withRouter';

/** Undefined where nothing may change. */
export function problemOf(
  model: ModelConfig,
  solved: readonly Knob[],
  axes: readonly Axis[],
  against: Against,
  sought: Sought,
): Problem | undefined {
  const [first, second] = solved;
  if (first === undefined) return undefined;
  const unknowns = unknownsOf(model, first, second);
  const costs = costSurfaces((x, y) => against.costOf(unknowns.modelAt(x, y)), unknowns.degrees);
  const equations = [equation(costs, against.totals, false), equation(costs, against.totals, true)] as const;
  const [without, withRouter] = equations;
  return {
    ...{ model, first, second, axes, against, unknowns, costs, equations },
    sought: sought === 'both' ? equations : [sought === 'withRouter' ? withRouter : without],
  };
}

/** The model with sizes of a candidate. */
export function modelWith({ model, first, second }: Pick<Problem, 'model' | 'first' | 'second'>, sizes: readonly number[]): ModelConfig {
  const [size = first.of(model), other] = sizes;
  const sized = first.with(model, size);
  return second === undefined || other === undefined ? sized : second.with(sized, other);
}

/**
 * The sizes where the residuals vanish in real numbers; where those of both cannot, or where only one size may change, of the first one
 * that does.
 */
export function realSolution({ model, first, second, axes, unknowns, equations }: Problem, withRouter: boolean): ReadonlyMap<Knob, number> {
  const of = equations[withRouter ? 1 : 0];
  if (second !== undefined && axes.length === 2) {
    const both = bothFor(of, guess(model, first, second, unknowns));
    if (both === undefined) return new Map();
    const size = unknowns.x.size(both[0]);
    return new Map([
      [first, size],
      [second, unknowns.y.size(both[1], size)],
    ]);
  }
  const alone = axes.flatMap((axis): (readonly [Knob, number])[] => {
    // The one that governs little else first.
    const [y] = second?.governs.includes(axis) === true ? secondsFor(first.of(model), axis, of, unknowns) : [];
    const [x] = first.governs.includes(axis) ? firstsFor({ model, first, second, unknowns }, axis, of) : [];
    if (second !== undefined && y !== undefined && second.governs.length < first.governs.length) return [[second, y]];
    if (x !== undefined) return [[first, x]];
    return second !== undefined && y !== undefined ? [[second, y]] : [];
  });
  return new Map(alone.slice(0, 1));
}

/**
 * Whole numbers for the solved sizes: those around the real solutions of both equations, of which the second is solved again for each whole
 * number of the first. Where both residuals cannot vanish, those for one.
 */
export function candidatesOf(problem: Problem, isNear: (candidate: Candidate) => boolean): readonly Candidate[] {
  const found = candidatesForBoth(problem, isNear);
  return found.length > 0 ? found : ofEither(problem).map((one) => candidate(one, problem));
}

function candidatesForBoth(problem: Problem, isNear: (candidate: Candidate) => boolean): readonly Candidate[] {
  const { second, axes } = problem;
  if (second === undefined || axes.length < 2) return [];
  const found = ofBoth(problem, second).map((one) => candidate(one, problem));
  if (found.length === 0 || found.some(isNear)) return found;
  return [...found, ...between(problem, second).map((one) => candidate(one, problem))];
}

function ofBoth({ model, first, unknowns, sought }: Problem, second: Knob): readonly Sizes[] {
  const start = guess(model, first, second, unknowns);
  const exact = sought.flatMap((of) => bothFor(of, start)?.[0] ?? []).map(unknowns.x.size);
  return [...new Set(exact.flatMap((size) => wholeNumbers(first, size)))].flatMap((size) => {
    const fitting = second.governs.flatMap((axis) => sought.flatMap((of) => secondsFor(size, axis, of, unknowns)));
    return [...new Set(fitting.flatMap((fit) => wholeNumbers(second, fit)))].map((other): Sizes => [size, other]);
  });
}

/**
 * Few large experts come in steps of many percent: for each number of them, the width half-way between the two that make one residual
 * vanish each.
 */
function between({ model, first, unknowns, equations: [of] }: Problem, second: Knob): readonly Sizes[] {
  const both = bothFor(of, guess(model, first, second, unknowns));
  if (both === undefined) return [];
  const width = unknowns.x.size(both[0]);
  return wholeNumbers(second, unknowns.y.size(both[1], width)).flatMap((number) => {
    const y = unknowns.y.of(number, width);
    const [one, other] = [firstFor(of, 'macs', y), firstFor(of, 'parameters', y)];
    if (one === undefined || other === undefined) return [];
    return wholeNumbers(first, unknowns.x.size((one + other) / 2)).map((size): Sizes => [size, number]);
  });
}

/** One size at a time, the other as it is. */
function ofEither(problem: Problem): readonly Sizes[] {
  const { model, first, second, axes, unknowns, sought } = problem;
  const over = (knob: Knob, sizes: (axis: Axis, of: Equation) => readonly number[]): readonly number[] => {
    const governed = axes.filter((axis) => knob.governs.includes(axis));
    const exact = governed.flatMap((axis) => sought.flatMap((of) => sizes(axis, of)));
    return [...new Set(exact.flatMap((size) => wholeNumbers(knob, size)))];
  };
  const own = first.of(model);
  const changingFirst = over(first, (axis, of) => firstsFor(problem, axis, of));
  if (second === undefined) return changingFirst.map((size) => [size]);
  const changingSecond = over(second, (axis, of) => secondsFor(own, axis, of, unknowns));
  return [...changingFirst.map((size): Sizes => [size, second.of(model)]), ...changingSecond.map((other): Sizes => [own, other])];
}

function firstsFor(
  { model, first, second, unknowns }: Pick<Problem, 'model' | 'first' | 'second' | 'unknowns'>,
  axis: Axis,
  of: Equation,
): readonly number[] {
  const y = second === undefined ? 0 : unknowns.y.of(second.of(model), first.of(model));
  const x = firstFor(of, axis, y);
  return x === undefined ? [] : [unknowns.x.size(x)];
}

function secondsFor(size: number, axis: Axis, of: Equation, unknowns: Unknowns): readonly number[] {
  const y = secondFor(of, axis, unknowns.x.of(size));
  return y === undefined ? [] : [unknowns.y.size(y, size)];
}

function guess(model: ModelConfig, first: Knob, second: Knob, unknowns: Unknowns): readonly [number, number] {
  const size = first.of(model);
  return [unknowns.x.of(size), unknowns.y.of(second.of(model), size)];
}

function candidate(sizes: Sizes, problem: Problem): Candidate {
  const { totals, part } = problem.against;
  const ours = costOf(sizes, problem);
  const shifted = (figure: keyof PartCost): number => part[figure] + ours[figure] - totals[figure];
  return {
    sizes,
    residuals: residualsOf(
      {
        parameters: shifted('parameters'),
        routerParameters: shifted('routerParameters'),
        macs: shifted('macs'),
        routerMacs: shifted('routerMacs'),
      },
      part,
    ),
    eights: [problem.first, problem.second].filter((knob, index) => knob?.eights === true && (sizes[index] ?? 1) % 8 === 0).length,
  };
}

/** What the surfaces say, but where a number of experts is rounded behind them. */
function costOf(sizes: Sizes, problem: Problem): PartCost {
  const { model, first, unknowns, costs, against } = problem;
  const [size = first.of(model), other = 0] = sizes;
  if (unknowns.rounds) return against.costOf(modelWith(problem, sizes));
  return costAt(costs, unknowns.x.of(size), unknowns.y.of(other, size));
}

/** Without those that another one is no worse than in every way. */
export function undominated<T extends Candidate>(candidates: readonly T[]): readonly T[] {
  return candidates.filter(
    (one, index) => !candidates.some((other, place) => other !== one && dominates(other, one) && (!dominates(one, other) || place < index)),
  );
}

function dominates(one: Candidate, other: Candidate): boolean {
  if (one.eights < other.eights) return false;
  const figures = ['macs', 'macsWithRouter', 'parameters', 'parametersWithRouter'] as const;
  return figures.every((figure) => Math.abs(one.residuals[figure]) <= Math.abs(other.residuals[figure]));
}
