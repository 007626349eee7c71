import type { ComparedResiduals } from '../comparedPart';
import type { Axis } from './equations';

/** What counts as parity where several models are near it: papers call 3 % equal, and a whole number of experts is seldom nearer than this. */
const near = 0.01;

/** Residuals that differ by less are as good as equal: then multiples of 8 are worth more. */
const resolution = 1e-3;

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

function sizes({ residuals }: Pick<Ranked, 'residuals'>, { axes, withRouter }: Aim): readonly number[] {
  return axes.map((axis) => {
    if (axis === 'macs') return Math.abs(withRouter ? residuals.macsWithRouter : residuals.macs);
    return Math.abs(withRouter ? residuals.parametersWithRouter : residuals.parameters);
  });
}

/** The worst of the residuals that are to vanish. */
export function worst(ranked: Pick<Ranked, 'residuals'>, aim: Aim): number {
  return Math.max(...sizes(ranked, aim));
}

/** Whether it is at parity, as far as whole numbers are. */
export function isNear(one: Pick<Ranked, 'residuals'>, aim: Aim): boolean {
  return worst(one, aim) <= near;
}

/**
 * Best first: those that keep heads and top_k, if any of them is within 1 %; then those within 1 %, those that change fewer of the sizes that say what kind of model
 * it is, and the smaller worst residual; of equals those with smaller residuals together, more multiples of 8 and fewer changes.
 */
export function ranked<T extends Ranked>(choices: readonly T[], aim: Aim): readonly T[] {
  const keepingSuffices = choices.some((one) => one.differing === 0 && isNear(one, aim));
  const orders: readonly ((one: Ranked) => number)[] = [
    (one) => (keepingSuffices && one.differing > 0 ? 1 : 0),
    (one) => (isNear(one, aim) ? 0 : 1),
    (one) => one.differing,
    // Where one residual has to be large, by how much matters less than that the other one is small.
    (one) => (isNear(one, aim) ? Math.round(worst(one, aim) / resolution) : Math.floor(Math.log2(worst(one, aim)))),
    (one) => Math.round((isNear(one, aim) ? sum(sizes(one, aim)) : Math.min(...sizes(one, aim))) / resolution),
    (one) => -one.eights,
    (one) => sum(sizes(one, aim)),
    (one) => one.changed,
    (one) => Math.abs(one.residuals.macsWithRouter) + Math.abs(one.residuals.parametersWithRouter),
  ];
  const keyed = choices.map((choice) => ({ choice, keys: orders.map((order) => order(choice)) }));
  return keyed.sort((one, other) => compare(one.keys, other.keys)).map(({ choice }) => choice);
}

function compare(one: readonly number[], other: readonly number[]): number {
  for (const [index, value] of one.entries()) {
    const difference = value - (other[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function sum(figures: readonly number[]): number {
  return figures.reduce((total, figure) => total + figure, 0);
}
