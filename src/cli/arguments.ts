import { parseArgs } from 'node:util';
import type { Command, OptionValues } from './command';
import { WrongUse } from './command';

export interface CommandArguments {
  readonly values: OptionValues;
  readonly positionals: readonly string[];
}

/** Parses what follows the command's name. Throws `WrongUse` with one sentence for an option that is unknown or lacks its value. */
export function parseCommandArguments(name: string, command: Pick<Command, 'options'>, args: readonly string[]): CommandArguments {
  const options = { ...command.options, json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    return { values, positionals };
  } catch (error) {
    throw new WrongUse(sentence(name, Object.keys(options), error));
  }
}

function sentence(name: string, options: readonly string[], error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const known = options.map((option) => `--${option}`).join(', ');
  const unknown = /Unknown option '([^']+)'/.exec(message)?.[1];
  if (unknown !== undefined) return `moe-lab ${name} has no option ${unknown}; it has ${known}.`;
  const incomplete = /Option '(?:-\w, )?(--[\w-]+)[^']*' argument (?:missing|is ambiguous)/.exec(message)?.[1];
  if (incomplete !== undefined) return `The option ${incomplete} of moe-lab ${name} needs a value, as in ${incomplete}=VALUE.`;
  const flag = /Option '(?:-\w, )?(--[\w-]+)' does not take an argument/.exec(message)?.[1];
  if (flag !== undefined) return `The option ${flag} of moe-lab ${name} takes no value.`;
  return `${message.split(/[.\n]/)[0] ?? message}.`;
}
