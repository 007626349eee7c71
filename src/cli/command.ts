import type { Writable } from 'node:stream';
import type { ParseArgsConfig } from 'node:util';

/** Exit codes: 0 done, 1 findings or a failed run, 2 wrong use. */
export const exitCode = { done: 0, findings: 1, wrongUse: 2 } as const;

export type OptionValues = Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>;

export interface CommandContext {
  readonly positionals: readonly string[];
  /** Parsed options. `json`, `help` exist for every command; `help` never reaches the command. */
  readonly values: OptionValues;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly cwd: string;
  /** Aborted on the first Ctrl-C; a second one ends the process. */
  readonly signal?: AbortSignal;
}

export interface Command {
  /** One line of `moe-lab --help`. */
  readonly summary: string;
  /** Lines of the command's own `--help` on what the usage line does not say by itself: what options do, and what goes on afterwards. */
  readonly notes?: readonly string[];
  /** What follows `moe-lab` on the usage line, for example `count FILE...`. */
  readonly usage: string;
  /** Options besides `--json` and `--help`, which every command has. */
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** Resolves with the exit code. Throw `WrongUse` for arguments that make no sense. */
  run(context: CommandContext): Promise<number>;
}

/** One sentence that says what to write instead; `main` prints it and exits 2. */
export class WrongUse extends Error {
  override readonly name = 'WrongUse';
}
