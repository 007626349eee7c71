import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { WrongUse } from './command';

export const quickStartUsage = 'usage: npm start -- [FOLDER] [--steps N]';

export interface QuickStartArguments {
  /** Absolute: where the sample workspace is made. */
  readonly folder: string;
  /** Undefined for as many as the configs say. */
  readonly steps: number | undefined;
}

/** Undefined where somebody only asks how it is used. Throws WrongUse: a word that is not understood would cost minutes of training. */
export function quickStartArguments(args: readonly string[]): QuickStartArguments | undefined {
  const { values, positionals } = parsed(args);
  if (values.help === true) return undefined;
  const [folder = join('.try', 'workspace'), ...others] = positionals;
  if (others.length > 0) throw new WrongUse(`One folder is enough. ${quickStartUsage}`);
  const steps = values.steps === undefined ? undefined : Number(values.steps);
  if (steps !== undefined && !(Number.isSafeInteger(steps) && steps > 0))
    throw new WrongUse(`--steps takes a positive whole number, not ${String(values.steps)}. ${quickStartUsage}`);
  return { folder: resolve(folder), steps };
}

function parsed(args: readonly string[]) {
  try {
    const options = { steps: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new WrongUse(`${error instanceof Error ? (error.message.split(/[.\n]/)[0] ?? '') : String(error)}. ${quickStartUsage}`);
  }
}
