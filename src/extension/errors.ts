/** What every error of MoE Lab that a person can do something about carries. */
interface AdvisedError extends Error {
  readonly advice: string;
}

/** Keys from the top of a config to the value at fault. */
type ConfigPath = readonly (string | number)[];

/** The user has seen it, or ended it: nothing more is to be said. */
export class Dismissed extends Error {
  override readonly name = 'Dismissed';
}

/** Something in VS Code stands in the way, with what the user can do next. */
export class ExtensionError extends Error {
  override readonly name = 'ExtensionError';
  constructor(
    message: string,
    readonly advice: string,
  ) {
    super(message);
  }
}

/** Message and advice as one text, once: some messages end with the advice already. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!isAdvised(error) || error.message.includes(error.advice)) return error.message;
  return `${error.message.replace(/[.\s]*$/, '.')} ${error.advice}`;
}

/** An error that nobody foresaw: its stack belongs in the log. */
export function isUnforeseen(error: unknown): boolean {
  return !(error instanceof Error && isAdvised(error));
}

/** The place in the config that an error is about, where it says so. */
export function configPathOf(error: unknown): ConfigPath | undefined {
  if (!(error instanceof Error) || !('configPath' in error) || !Array.isArray(error.configPath)) return undefined;
  const path: unknown[] = error.configPath;
  return path.every((key) => typeof key === 'string' || typeof key === 'number') ? path : undefined;
}

function isAdvised(error: Error): error is AdvisedError {
  return 'advice' in error && typeof error.advice === 'string' && error.advice !== '';
}
