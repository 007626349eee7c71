import type { Knob } from './knobs';

/**
 * The whole numbers that a size may get for its real solution: the nearest on both sides, and the nearest multiples of 8 where they matter.
 * What is whole and a multiple of 8 needs no neighbour.
 */
export function wholeNumbers({ most, eights, square }: Knob, exact: number): readonly number[] {
  const near = square ? around(Math.sqrt(exact)).map((root) => root * root) : around(exact);
  const found = eights ? [...near, ...around(exact / 8).map((eighth) => 8 * eighth)] : near;
  return [...new Set(found)].filter((value) => value >= 1 && value <= most);
}

function around(exact: number): readonly number[] {
  const below = Math.floor(exact);
  return below === exact ? [below] : [below, below + 1];
}
