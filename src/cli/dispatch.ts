import type { Writable } from 'node:stream';
import { version } from '../../package.json';
import { didYouMean } from '../config/editDistance';
import { parseCommandArguments } from './arguments';
import { exitCode, WrongUse } from './command';
import type { Command } from './command';
import { printableLines } from './terminal/printable';

export interface CommandEntry {
  /** The same line as the command's own `summary`, here so that `--help` loads no command. */
  readonly summary: string;
  /** Commands are loaded when they are used: `count` needs no runtime. */
  load(): Promise<Command>;
}

export const commands: Readonly<Record<string, CommandEntry>> = {
  count: {
    summary: 'Count the parameters and MACs of configs, and compare them with their baselines.',
    load: async () => (await import('./count')).command,
  },
  compare: {
    summary: 'Say what differs between two configs, or a config and a run, and in what they cost.',
    load: async () => (await import('./compare')).command,
  },
  check: {
    summary: 'Check configs by the rules of the editor, so that a build can refuse an unfair comparison.',
    load: async () => (await import('./check')).command,
  },
  solve: {
    summary: 'Find the sizes that bring a config to the cost of its baseline, best first.',
    load: async () => (await import('./solve')).command,
  },
  presets: {
    summary: 'List the published models that come as configs, or print one.',
    load: async () => (await import('./presets')).command,
  },
  sample: {
    summary: 'Write a sample experiment: text of known entropy, and configs of equal compute.',
    load: async () => (await import('./sample')).command,
  },
  run: {
    summary: 'Train a config, or each member of its sweep in turn.',
    load: async () => (await import('./run')).command,
  },
  runs: {
    summary: 'List the runs of a folder, newest first.',
    load: async () => (await import('./runs')).command,
  },
  show: {
    summary: 'Show a run in full, or several side by side.',
    load: async () => (await import('./show')).command,
  },
  stop: {
    summary: 'Stop a run that trains, with a checkpoint to go on from.',
    load: async () => (await import('./stop')).command,
  },
  twin: {
    summary: 'Write the twin of a config at equal cost in another family, or with a fixed k of a run or config whose k varies.',
    load: async () => (await import('./twin')).command,
  },
  scale: {
    summary: 'Shrink a config and its baseline to a budget of time or memory on this machine, at parity.',
    load: async () => (await import('./scale')).command,
  },
  measure: {
    summary: 'Measure how fast this machine trains a config, and say how long that takes to the end.',
    load: async () => (await import('./measure')).command,
  },
  devices: {
    summary: 'Say which devices can train here, with which GPUs, and why others cannot.',
    load: async () => (await import('./devices')).command,
  },
};

export interface Streams {
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly cwd: string;
  readonly signal?: AbortSignal;
}

/** Runs `moe-lab ARGS...` and resolves with the exit code. Whatever goes wrong ends as one message on stderr. */
export async function dispatch(args: readonly string[], streams: Streams): Promise<number> {
  try {
    return await run(args, streams);
  } catch (error) {
    streams.stderr.write(printableLines(`moe-lab: ${messageOf(error)}\n`));
    return error instanceof WrongUse ? exitCode.wrongUse : exitCode.findings;
  }
}

async function run([name, ...rest]: readonly string[], streams: Streams): Promise<number> {
  if (name === undefined) throw new WrongUse(`No command given; use one of ${Object.keys(commands).join(', ')}, or --help.`);
  if (name === '--version') return print(streams, version);
  if (name === '--help' || name === '-h' || name === 'help') return print(streams, overview());
  const entry = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!entry) throw new WrongUse(unknownCommand(name));
  const command = await entry.load();
  const { values, positionals } = parseCommandArguments(name, command, rest);
  if (values['help'] === true) return print(streams, helpOf(command));
  return command.run({ ...streams, values, positionals });
}

function helpOf({ usage, summary, notes = [] }: Command): string {
  return [`usage: moe-lab ${usage}`, '', summary, ...(notes.length === 0 ? [] : ['', ...notes])].join('\n');
}

function print({ stdout }: Streams, text: string): number {
  stdout.write(`${text}\n`);
  return exitCode.done;
}

function overview(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  return [
    'usage: moe-lab COMMAND [OPTIONS] ...',
    '',
    'Mixture-of-Experts language models: count, train and compare them.',
    '',
    ...Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'Every command has --help, and --json for output that other programs read.',
    'Exit code: 0 done, 1 findings or a failed run, 2 wrong use.',
  ].join('\n');
}

function unknownCommand(name: string): string {
  if (name.startsWith('-'))
    return `Options follow the command, as in moe-lab count ${name}; the commands are ${Object.keys(commands).join(', ')}.`;
  const meant = didYouMean(name, Object.keys(commands));
  return `There is no command ${name}; ${meant ? `did you mean ${meant}?` : `use one of ${Object.keys(commands).join(', ')}.`}`;
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // A defect of ours: the stack is what a report needs.
  if (error instanceof TypeError || error instanceof ReferenceError) return `${error.stack ?? error.message}`;
  return error.message;
}
