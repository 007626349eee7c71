import { isIsoMac, isoMacWidening, matricesPerExpert, projectionsLeftOut } from '../../config/moeShape';
import type { ModelConfig } from '../../config/schema';
import type { Knob } from './knobs';
import { experts, expertWidth } from './knobs';
import type { Degree } from './surfaces';
import { nearlyWhole } from './surfaces';

/**
 * Two sizes of a model as the unknowns of its equations, x and y. They are the sizes themselves, but for two cases: of a square number the
 * unknown is the root; and with `ablation: iso_mac` the unknowns are the width and number of the experts that come of what the config says,
 * since costs are products of those.
 */
export interface Unknowns {
  /** Whether what the sizes make is rounded to whole numbers, so that the surfaces are not exact. */
  readonly rounds: boolean;
  readonly degrees: readonly [Degree, Degree];
  /** With sizes that need not be whole. */
  readonly modelAt: (x: number, y: number) => ModelConfig;
  readonly x: { readonly of: (first: number) => number; readonly size: (x: number) => number };
  /** The second size may depend on the first one. */
  readonly y: { readonly of: (second: number, first: number) => number; readonly size: (y: number, first: number) => number };
}

/** A model with a single knob has a second unknown that changes nothing. */
export function unknownsOf(model: ModelConfig, first: Knob, second: Knob | undefined): Unknowns {
  if (model.moe !== undefined && isIsoMac(model.moe) && first === expertWidth && second === experts) return ofIsoMac(model, model.moe);
  const square = second?.square === true;
  const [x, y] = [asIs(first.square), asIs(square)];
  return {
    rounds: false,
    degrees: [first.square ? 2 : 1, square ? 2 : 1],
    modelAt: (one, other) => {
      const sized = first.with(model, x.size(one));
      return second === undefined ? sized : second.with(sized, y.size(other));
    },
    x,
    y,
  };
}

function asIs(square: boolean) {
  return square
    ? { of: Math.sqrt, size: (root: number) => nearlyWhole(root * root) }
    : { of: (size: number) => size, size: (size: number) => size };
}

/** As `resultingExperts` says, before it rounds. */
function ofIsoMac(model: ModelConfig, moe: NonNullable<ModelConfig['moe']>): Unknowns {
  const { freed, shared } = isoMacWidening(model, moe);
  const widening = freed / shared;
  /** Of the width of an expert: its parameters. */
  const perWidth = (matricesPerExpert(model) * model.d_model) / moe.heads;
  const added = projectionsLeftOut(moe) * model.d_model ** 2;
  return {
    rounds: true,
    degrees: [1, 1],
    modelAt: (x, y) => ({ ...model, moe: { ...moe, ablation: 'remove_only', expert_width: x, experts: y } }),
    x: { of: (width) => width + widening, size: (x) => x - widening },
    y: {
      of: (number, width) => (added + perWidth * width * number) / (perWidth * (width + widening)),
      size: (y, width) => nearlyWhole((y * perWidth * (width + widening) - added) / (perWidth * width)),
    },
  };
}
