import type { ConfigFinding, OwnConfig } from '../../config/configFile';
import type { PathFinding, Spot } from '../../config/pathFinding';
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
  readonly loaded: OwnConfig;
  /** Of the config; undefined where it has errors. */
  readonly count: ModelCount | undefined;
  /** Undefined where the config names none, or one that cannot be counted. */
  readonly baseline: ParityBaseline | undefined;
  readonly residuals: ParityResiduals | null;
  /**
   * The baseline, as an absolute path, that a config file names, for cycles of more than two; undefined where it names none or cannot be
   * read. In its absence nobody is asked, and only cycles of one and two configs are found.
   */
  readonly baselineOf?: (file: string) => string | undefined;
}

/** A config, or a member of its sweep, that can be compared, with what it is compared with. */
export interface Comparison {
  readonly loaded: Pick<OwnConfig, 'file' | 'experiment' | 'rangeOf'>;
  readonly experiment: Experiment;
  readonly count: ModelCount;
  readonly baseline: ParityBaseline;
  readonly residuals: ParityResiduals;
  /** By dotted keys, what a member of a sweep says in place of the config; undefined for the config itself. */
  readonly changes?: Readonly<Record<string, unknown>>;
}

/** What a rule finds, before anybody asks where it is to be shown. */
export interface ParityFinding extends Pick<PathFinding, 'message' | 'remedies'> {
  /** In place of the rule's. */
  readonly severity?: ConfigFinding['severity'];
  spots(): readonly Spot[];
}

/** What makes a comparison unfair. Pure. */
export interface ParityRule {
  readonly code: string;
  readonly severity: ConfigFinding['severity'];
  /** For lists of rules; no full stop. */
  readonly summary: string;
  check(comparison: Comparison): ParityFinding | undefined;
  /** As it stands behind `5 of 8 members differ from smoe.moe.yaml`: `in MACs`. */
  readonly differsIn: string;
  /** How far a member is off by what the rule is about, to name the worst; undefined where members are not off by more or less. */
  readonly deviation?: (residuals: ParityResiduals) => number;
}
