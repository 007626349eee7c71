import type { Causality } from '../config/causality';
import type { ConfigFinding, LoadedConfig, OwnConfig } from '../config/configFile';
import type { Experiment } from '../config/schema';
import type { RuleSeverities } from '../config/severities';
import type { TextOverlap } from '../data/textOverlap';
import type { Program } from '../graph/program';
import type { ModelCount } from '../models/count';
import type { ParityResiduals } from '../parity/compareWithBaseline';
import type { MachineMemory } from '../worker/memoryRooms';
import type { RunNeeds } from '../worker/runNeeds';

/** What a config is held against. */
export interface AnalysedBaseline {
  /** As the config's `parity` names it. */
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  readonly experiment: Experiment;
  readonly count: ModelCount;
}

/** What is known of one version of a config before the members of its sweep are tried: all that a keystroke has to wait for. */
export interface OwnAnalysis {
  /** Absolute path. */
  readonly file: string;
  readonly text: string;
  readonly loaded: OwnConfig;
  /** How many members its sweep lists; 0 where there is none, or one that is not understood. */
  readonly listed: number;
  /** Undefined if the config has errors. */
  readonly count: ModelCount | undefined;
  /** Null without a baseline, or if it cannot be counted; then `findings` say why. */
  readonly parity: ParityResiduals | null;
  /** Undefined where `parity` is null. */
  readonly baseline: AnalysedBaseline | undefined;
  /** Undefined where nothing was counted. */
  readonly causality: Causality | undefined;
  /** What training takes, but for its text; null for a config that only counts. */
  readonly needs: RunNeeds | null;
  /** Every file that was read for it, or looked for in vain; its own included. */
  readonly files: ReadonlySet<string>;
  /** The whole program, built when first asked for. Undefined if the config has errors. */
  program(): Program | undefined;
}

/** All that an editor shows about one version of a config, and what the command line prints of it. */
export interface ConfigAnalysis extends OwnAnalysis {
  readonly loaded: LoadedConfig;
  /**
   * Of the config, of what it extends, of its members and against its baseline, in the severities that were asked for and without what is
   * suppressed.
   */
  readonly findings: readonly ConfigFinding[];
}

/** What an analysis depends on besides the texts of configs. */
export interface AnalysisEnvironment {
  /** Severities by code of a rule, as settings or the command line say. */
  readonly severities: RuleSeverities;
  /** What the machine has for a run; null where nobody asks whether one fits. */
  readonly memory: MachineMemory | null;
  /** Where validation text of a config was found in its training text; undefined where nobody has looked yet. */
  overlaps?(loaded: Pick<LoadedConfig, 'file' | 'experiment'>): readonly TextOverlap[] | undefined;
}
