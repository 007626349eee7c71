import type { KeyPath } from './keyPath';
import type { RuleSeverities } from './lintSchema';
import type { Remedy } from './remedy';
import type { Experiment } from './schema';
import type { SourceRange, TextEdit } from './textPlace';

export type { Position, SourceRange, TextEdit } from './textPlace';

/** A way to mend a finding: edits of the file that it is in. */
export interface ConfigFix {
  readonly title: string;
  readonly edits: readonly TextEdit[];
  /** Whether it is the only sensible one, so that it may be applied without asking (`source.fixAll.moeLab`). */
  readonly sure: boolean;
}

export interface ConfigFinding {
  /** Absolute path of the file the finding is in. */
  readonly file: string;
  readonly range: SourceRange;
  readonly severity: 'error' | 'warning' | 'information';
  /** Stable name of the rule, for example `unknown-key`. */
  readonly code: string;
  readonly message: string;
  /** What would mend it, best first, by keys; `config/fixes.ts` turns them into edits when somebody asks. */
  readonly remedies?: readonly Remedy[];
  /** Whether it is about members of the sweep, and not about the config as it is without them. */
  readonly ofMembers?: true;
}

/** One experiment of a `sweep`: the config with the changes of this member. */
export interface SweepMember {
  /** `top_k=2, learning_rate=0.001`. */
  readonly name: string;
  /** By dotted keys; null takes away what the config says. */
  readonly changes: Readonly<Record<string, unknown>>;
  /** Named after the config and the member. Undefined where the changes do not go with the config, or that has errors of its own. */
  readonly experiment: Experiment | undefined;
  /** Where the sweep lists it; of a combination, the value of its first key. */
  readonly range: SourceRange;
  /** The same as a path below `sweep`. */
  readonly place: KeyPath;
  /** Where the value of each change stands. */
  readonly places: Readonly<Record<string, KeyPath>>;
}

/** A loaded config but for its sweep: the experiment where the text is valid, and what is wrong with it where not. */
export interface OwnConfig {
  readonly file: string;
  readonly text: string;
  /** What the config says without its sweep. Undefined if any finding is an error, but for those of the sweep. */
  readonly experiment: Experiment | undefined;
  /** What this file and its bases say in `lint`, which `severities.ts` applies: the findings here are as rules make them. */
  readonly lint: RuleSeverities;
  readonly findings: readonly ConfigFinding[];
  /** Range of a key such as `model.moe.heads` in this file (the key itself), if the file states it. */
  rangeOf(path: readonly (string | number)[]): SourceRange | undefined;
}

/** A loaded config with the members of its sweep, each tried; what is wrong with the sweep is among the findings. */
export interface LoadedConfig extends OwnConfig {
  /** In the order of training; empty where there is no sweep, or one that is not understood. */
  readonly members: readonly SweepMember[];
}

/** How files are read: the disk headless, open editors first in VS Code. Returns undefined if there is no such file. */
export type ReadText = (file: string) => string | undefined;
