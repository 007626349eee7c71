import type { Experiment } from '../../config/schema';
import type { ComparedResiduals, ComparedScope } from '../comparedPart';

/** Which residuals are to vanish. */
export type ParityTarget = 'macs' | 'parameters' | 'both';

export interface SolveOptions {
  /** `both` where absent. */
  readonly target?: ParityTarget;
  /** The most choices. */
  readonly limit?: number;
  /** Only these keys may change, dotted: `model.moe.expert_width`. Where absent all that the architecture has. */
  readonly keys?: readonly string[];
}

/** Whole numbers for some keys of a config, and how far the model is from its baseline with them: residuals as fractions. */
export interface Choice extends ComparedResiduals {
  /** By dotted key; those alone that are not what the config says. */
  readonly changes: Readonly<Record<string, number>>;
  /** Of the whole model; `parameters` includes what chooses experts. */
  readonly model: { readonly parameters: number; readonly macs: number; readonly macsWithRouter: number };
}

export interface Solution {
  readonly scope: ComparedScope;
  /** Where both residuals vanish in real numbers, by dotted key, without what chooses experts and with it; empty where they cannot. */
  readonly exact: Readonly<Record<string, number>>;
  readonly exactWithRouter: Readonly<Record<string, number>>;
  /** Best first. */
  readonly choices: readonly Choice[];
}

/** Whole numbers for the sizes of `subject` that bring it to the cost of `baseline`. */
export function solve(subject: Experiment, baseline: Experiment, options: SolveOptions = {}): Solution {
  void [subject, baseline, options];
  return { scope: 'layers', exact: {}, exactWithRouter: {}, choices: [] };
}
