import type { Experiment } from './schema';

/** Zero-based, as editors count; character is in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly character: number;
}

export interface SourceRange {
  readonly start: Position;
  readonly end: Position;
}

export interface ConfigFinding {
  /** Absolute path of the file the finding is in. */
  readonly file: string;
  readonly range: SourceRange;
  readonly severity: 'error' | 'warning' | 'information';
  /** Stable name of the rule, for example `unknown-key`. */
  readonly code: string;
  readonly message: string;
}

/** A loaded config: the experiment where the text is valid, and what is wrong with it where not. */
export interface LoadedConfig {
  readonly file: string;
  readonly text: string;
  /** Undefined if any finding is an error. */
  readonly experiment: Experiment | undefined;
  readonly findings: readonly ConfigFinding[];
  /** Range of a key such as `model.moe.heads` in this file (the key itself), if the file states it. */
  rangeOf(path: readonly (string | number)[]): SourceRange | undefined;
}

/** How files are read: the disk headless, open editors first in VS Code. Returns undefined if there is no such file. */
export type ReadText = (file: string) => string | undefined;
