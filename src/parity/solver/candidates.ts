import type { ModelConfig } from '../../config/schema';
import type { PartCost } from '../comparedPart';
import { residualsOf } from '../comparedPart';
import type { Axis, Equation } from './equations';
import { bothFor, equation, firstFor, secondFor } from './equations';
import type { Knob } from './knobs';
import { costSurfaces } from './surfaces';
import type { Unknowns } from './unknowns';
import { unknownsOf } from './unknowns';
import { wholeNumbers } from './wholeNumbers';

/** What candidates are held against. */
export interface Against {
  readonly costOf: (model: ModelConfig) => PartCost;
  /** Of the baseline, whole. */
  readonly totals: PartCost;
  /** Of the part of it that is compared. */
  readonly part: PartCost;
}

/** A model in whole numbers, and how far it is from its baseline. */
export interface Candidate {
  readonly model: ModelConfig;
  readonly residuals: ReturnType<typeof residualsOf>;
  /** How many of the solved sizes are multiples of 8. */
  readonly eights: number;
}

/** A model whose other sizes are given, and the equations for two of its sizes. */
export interface Problem {
  readonly model: ModelConfig;
  readonly first: Knob;
  readonly second: Knob | undefined;
  readonly axes: readonly Axis[];
  readonly against: Against;
  readonly unknowns: Unknowns;
  /** Without what chooses experts, and with it. */
  readonly equations: readonly [Equation, Equation];
}

/** Undefined where nothing may change. */
export function problemOf(model: ModelConfig, solved: readonly Knob[], axes: readonly Axis[], against: Against): Problem | undefined {
  const [first, second] = solved;
  if (first === undefined) return undefined;
  const unknowns = unknownsOf(model, first, second);
  const costs = costSurfaces((x, y) => against.costOf(unknowns.modelAt(x, y)), unknowns.degrees);
  const equations = [equation(costs, against.totals, false), equation(costs, against.totals, true)] as const;
  return { model, first, second, axes, against, unknowns, equations };
}

/** The sizes where the residuals vanish in real numbers; where those of both cannot, or where only one size may change, of the first one that does. */
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
  for (const axis of axes) {
    const [x] = firstsFor({ model, first, second, unknowns }, axis, of);
    if (x !== undefined) return new Map([[first, x]]);
    const y = second && secondsFor(first.of(model), axis, of, unknowns)[0];
    if (second !== undefined && y !== undefined) return new Map([[second, y]]);
  }
  return new Map();
}

/**
 * Whole numbers for the solved sizes: those around the real solutions of both equations, of which the second is solved again for each whole number of the
 * first. Where both residuals cannot vanish, those for one.
 */
export function candidatesOf(problem: Problem, isNear: (candidate: Candidate) => boolean): readonly Candidate[] {
  const found = candidatesForBoth(problem, isNear);
  return undominated(found.length > 0 ? found : ofEither(problem).map((one) => candidate(one, problem)));
}

function candidatesForBoth(problem: Problem, isNear: (candidate: Candidate) => boolean): readonly Candidate[] {
  const { second, axes } = problem;
  if (second === undefined || axes.length < 2) return [];
  const found = ofBoth(problem, second).map((one) => candidate(one, problem));
  if (found.length === 0 || found.some(isNear)) return found;
  return [...found, ...between(problem, second).map((one) => candidate(one, problem))];
}

function ofBoth({ model, first, second: _, unknowns, equations }: Problem, second: Knob): readonly ModelConfig[] {
  const start = guess(model, first, second, unknowns);
  const exact = equations.flatMap((of) => bothFor(of, start)?.[0] ?? []).map(unknowns.x.size);
  return [...new Set(exact.flatMap((size) => wholeNumbers(first, size)))].flatMap((size) => {
    // Whichever of both the second one governs: experts only parameters, a width that fills up either.
    const fitting = equations.flatMap((of) => [
      ...secondsFor(size, 'parameters', of, unknowns),
      ...(of === equations[0] ? secondsFor(size, 'macs', of, unknowns) : []),
    ]);
    const sized = first.with(model, size);
    return [...new Set(fitting.flatMap((fit) => wholeNumbers(second, fit)))].map((other) => second.with(sized, other));
  });
}

/** Few large experts come in steps of many percent: for each number of them, the width half-way between the two that make one residual vanish each. */
function between({ model, first, unknowns, equations: [of] }: Problem, second: Knob): readonly ModelConfig[] {
  const both = bothFor(of, guess(model, first, second, unknowns));
  if (both === undefined) return [];
  const width = unknowns.x.size(both[0]);
  return wholeNumbers(second, unknowns.y.size(both[1], width)).flatMap((number) => {
    const y = unknowns.y.of(number, width);
    const [one, other] = [firstFor(of, 'macs', y), firstFor(of, 'parameters', y)];
    if (one === undefined || other === undefined) return [];
    return wholeNumbers(first, unknowns.x.size((one + other) / 2)).map((size) => second.with(first.with(model, size), number));
  });
}

/** One size at a time, the other as it is. */
function ofEither(problem: Problem): readonly ModelConfig[] {
  const { model, first, second, axes, unknowns, equations } = problem;
  const over = (sizes: (axis: Axis, of: Equation) => readonly number[], knob: Knob): readonly ModelConfig[] => {
    const exact = axes.flatMap((axis) => equations.flatMap((of) => sizes(axis, of)));
    return [...new Set(exact.flatMap((size) => wholeNumbers(knob, size)))].map((size) => knob.with(model, size));
  };
  const changingFirst = over((axis, of) => firstsFor(problem, axis, of), first);
  if (second === undefined) return changingFirst;
  return [...changingFirst, ...over((axis, of) => secondsFor(first.of(model), axis, of, unknowns), second)];
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

function candidate(model: ModelConfig, { first, second, against: { costOf, totals, part } }: Problem): Candidate {
  const ours = costOf(model);
  const shifted = (figure: keyof PartCost): number => part[figure] + ours[figure] - totals[figure];
  return {
    model,
    residuals: residualsOf(
      {
        parameters: shifted('parameters'),
        routerParameters: shifted('routerParameters'),
        macs: shifted('macs'),
        routerMacs: shifted('routerMacs'),
      },
      part,
    ),
    eights: [first, second].filter((knob) => knob?.eights === true && knob.of(model) % 8 === 0).length,
  };
}

/** Without those that another one is no worse than in every way. */
function undominated(candidates: readonly Candidate[]): readonly Candidate[] {
  return candidates.filter(
    (one, index) => !candidates.some((other, place) => other !== one && dominates(other, one) && (!dominates(one, other) || place < index)),
  );
}

function dominates(one: Candidate, other: Candidate): boolean {
  if (one.eights < other.eights) return false;
  const figures = ['macs', 'macsWithRouter', 'parameters', 'parametersWithRouter'] as const;
  return figures.every((figure) => Math.abs(one.residuals[figure]) <= Math.abs(other.residuals[figure]));
}
