import type { ConfigFinding, LoadedConfig } from '../../config/configFile';
import type { PathFinding } from '../../config/pathFinding';
import type { Experiment } from '../../config/schema';
import type { ModelCount } from '../../models/count';
import type { ParityResiduals } from '../compareWithBaseline';

/** What a config is held against. */
export interface ParityBaseline {
  /** As the config's `parity` names it. */
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  readonly experiment: Experiment;
  readonly count: ModelCount;
}

export interface ParityInput {
  readonly loaded: LoadedConfig;
  /** Of the config; undefined where it has errors. */
  readonly count: ModelCount | undefined;
  /** Undefined where the config names none, or one that cannot be counted. */
  readonly baseline: ParityBaseline | undefined;
  readonly residuals: ParityResiduals | null;
  /**
   * The baseline, as an absolute path, that a config file names, for cycles of more than two; undefined where it names none or cannot be read. In its absence
   * nobody is asked, and only cycles of one and two configs are found.
   */
  readonly baselineOf?: (file: string) => string | undefined;
}

/** A config that can be compared, with what it is compared with. */
export interface Comparison {
  readonly loaded: LoadedConfig;
  readonly experiment: Experiment;
  readonly count: ModelCount;
  readonly baseline: ParityBaseline;
  readonly residuals: ParityResiduals;
}

/** What makes a comparison unfair. Pure. */
export interface ParityRule {
  readonly code: string;
  readonly severity: ConfigFinding['severity'];
  /** For lists of rules; no full stop. */
  readonly summary: string;
  check(
    comparison: Comparison,
  ): (Pick<PathFinding, 'message' | 'spots' | 'remedies'> & { readonly severity?: ConfigFinding['severity'] }) | undefined;
}
