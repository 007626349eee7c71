import type { ComparedResiduals } from '../comparedPart';
import type { Axis } from './equations';

/**
 * What counts as parity where several models are near it: papers call 3 % equal, and a whole number of experts is seldom nearer than this.
 */
const near = 0.01;

/** Residuals that differ by less are as good as equal. */
const resolution = 1e-3;

/**
 * What a multiple of 8 among the sizes is worth in residual: kernels like it, and a fifth of a percent is less than one seed differs from
 * another by.
 */
const worthOfEight = 2e-3;

/** What choices are ranked by. */
export interface Ranked {
  readonly residuals: Omit<ComparedResiduals, 'scope'>;
  /** How many of the tried sizes, such as heads and top_k, differ from the subject's. */
  readonly differing: number;
  /** How many of the solved sizes are multiples of 8. */
  readonly eights: number;
  /** How many sizes differ in all. */
  readonly changed: number;
}

/** The residuals that are to vanish. */
export interface Aim {
  readonly axes: readonly Axis[];
  readonly withRouter: boolean;
}

type Residuals = Pick<Ranked, 'residuals'>;

function sizeOf({ residuals }: Residuals, axis: Axis, withRouter: boolean): number {
  if (axis === 'macs') return Math.abs(withRouter ? residuals.macsWithRouter : residuals.macs);
  return Math.abs(withRouter ? residuals.parametersWithRouter : residuals.parameters);
}

/** The worst of the residuals that are to vanish. */
function worst(one: Residuals, { axes, withRouter }: Aim): number {
  return axes.reduce((most, axis) => Math.max(most, sizeOf(one, axis, withRouter)), 0);
}

/** The residual that need not vanish, but had better be small; 0 where both are to vanish. */
function besides(one: Residuals, { axes, withRouter }: Aim): number {
  if (axes.length > 1) return 0;
  return sizeOf(one, axes.includes('macs') ? 'parameters' : 'macs', withRouter);
}

/** Whether it is at parity, as far as whole numbers are. */
export function isNear(one: Residuals, aim: Aim): boolean {
  return worst(one, aim) <= near;
}

/** As near as papers are content with. */
const equalInPapers = 0.05;

/** A residual in whole percent; a larger one in powers of two, as there a part of it more or less is no reason. */
function inSteps(residual: number): number {
  return residual <= equalInPapers ? Math.round(residual / near) : 10 + Math.round(Math.log2(residual));
}

/**
 * What a choice is ranked by, the smaller the better, the first one first: whether it is within 1 %, how many of the sizes that say what
 * kind of model it is differ, the residual that need not vanish, and the worst of those that are to (beyond 1 % the other way round); of
 * equals the residuals together, multiples of 8 and other changes.
 */
function standing(one: Ranked, aim: Aim): readonly number[] {
  const larger = worst(one, aim);
  const smaller = aim.axes.reduce((least, axis) => Math.min(least, sizeOf(one, axis, aim.withRouter)), larger);
  const isAt = larger <= near;
  const other = inSteps(besides(one, aim));
  return [
    isAt ? 0 : 1,
    one.differing,
    // Where one residual has to be large, by how much matters less than that the other one is small.
    ...(isAt ? [other, Math.round((larger - worthOfEight * one.eights) / resolution)] : [Math.floor(Math.log2(larger)), other]),
    Math.round((isAt ? larger + smaller : smaller) / resolution),
    -one.eights,
    larger + smaller,
    one.changed,
    Math.abs(one.residuals.macsWithRouter) + Math.abs(one.residuals.parametersWithRouter),
  ];
}

/**
 * Where a choice that keeps heads and top_k is within 1 %: it and its like first, then those that keep them and are near enough for papers,
 * then what is within 1 % with others, then the rest.
 */
function tier(one: Ranked, aim: Aim): number {
  const keeps = one.differing === 0;
  if (keeps && isNear(one, aim)) return 0;
  if (keeps && worst(one, aim) <= equalInPapers) return 1;
  return isNear(one, aim) ? 2 : 3;
}

/** Best first. */
export function ranked<T extends Ranked>(choices: readonly T[], aim: Aim): readonly T[] {
  const keepingSuffices = choices.some((one) => one.differing === 0 && isNear(one, aim));
  const keyed = choices.map((choice) => ({ choice, keys: [keepingSuffices ? tier(choice, aim) : 0, ...standing(choice, aim)] }));
  return keyed.sort((one, other) => compare(one.keys, other.keys)).map(({ choice }) => choice);
}

/** The best of those that differ from the subject in the same sizes. */
export function bestOf<T extends Ranked>(choices: readonly T[], aim: Aim): T | undefined {
  let best: { readonly choice: T; readonly keys: readonly number[] } | undefined;
  for (const choice of choices) {
    const keys = standing(choice, aim);
    if (best === undefined || compare(keys, best.keys) < 0) best = { choice, keys };
  }
  return best?.choice;
}

function compare(one: readonly number[], other: readonly number[]): number {
  for (let index = 0; index < one.length; index++) {
    const difference = (one[index] ?? 0) - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
