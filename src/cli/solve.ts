import { writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { LoadedConfig } from '../config/configFile';
import { applyEdits, editsFor } from '../config/edit/keyEdits';
import { loadConfig } from '../config/loadConfig';
import { readTextFromDisk } from '../config/readTextFromDisk';
import { remedyOfChoice, sizesText } from '../parity/solver/choiceText';
import { knobKeys } from '../parity/solver/knobs';
import { reachOf, reachText, type Reach } from '../parity/solver/reach';
import type { ParityTarget, Solution, SolveOptions } from '../parity/solver/solve';
import { solve } from '../parity/solver/solve';
import { exitCode, WrongUse, type Command, type OptionValues } from './command';
import { writeFindings } from './findings';
import { solutionText } from './solutionText';
import { printable } from './terminal/printable';

const targets = ['both', 'macs', 'parameters'] as const satisfies readonly ParityTarget[];

export const command: Command = {
  summary: 'Find the sizes that bring a config to the cost of its baseline, best first.',
  usage: 'solve FILE [--baseline FILE] [--target both|macs|parameters] [--keys KEY,...] [--limit N] [--write] [--json]',
  options: {
    baseline: { type: 'string' },
    target: { type: 'string' },
    keys: { type: 'string', multiple: true },
    limit: { type: 'string' },
    write: { type: 'boolean' },
  },
  async run({ positionals, values, stdout, stderr, cwd }) {
    const [name, ...others] = positionals;
    if (name === undefined || others.length > 0) throw new WrongUse('Name one config, as in moe-lab solve mh-moe.moe.yaml.');
    const options = optionsOf(values);
    const subject = loadConfig(resolve(cwd, name), readTextFromDisk);
    const baseline = baselineOf(subject, values, cwd);
    const read = [subject, baseline?.config].flatMap((config) => config ?? []);
    writeFindings(
      read.flatMap(({ findings }) => findings).filter(({ severity }) => severity === 'error'),
      stderr,
      cwd,
    );
    if (subject.experiment === undefined || baseline?.config.experiment === undefined) {
      if (subject.experiment !== undefined && baseline === undefined) {
        stderr.write(`moe-lab: ${printable(name)} names no baseline.\n  State one as \`parity:\` in the config, or say --baseline FILE.\n`);
      }
      return exitCode.findings;
    }
    const solution = solve(subject.experiment, baseline.config.experiment, options);
    const { target = 'both', keys } = options;
    const pair = [subject.experiment, baseline.config.experiment] as const;
    const reach = target === 'both' ? reachOf(...pair, keys === undefined ? {} : { keys }) : undefined;
    if (values['json'] === true) stdout.write(`${JSON.stringify(asJson(name, baseline.name, solution, reach))}\n`);
    else {
      const remarks = reach === undefined ? [] : reachText(reach, ...pair);
      stdout.write(`${solutionText(name, baseline.name, solution, target, remarks)}\n`);
    }
    if (solution.choices.length === 0) return exitCode.findings;
    if (values['write'] !== true) return exitCode.done;
    const written = writeBest(subject, solution);
    stderr.write(`${printable(written)}\n`);
    return exitCode.done;
  },
};

interface Baseline {
  /** As it is named. */
  readonly name: string;
  readonly config: LoadedConfig;
}

/** The one of the command line, else the one that the config names; undefined where there is none. */
function baselineOf(subject: LoadedConfig, values: OptionValues, cwd: string): Baseline | undefined {
  const given = values['baseline'];
  if (typeof given === 'string') return { name: given, config: loadConfig(resolve(cwd, given), readTextFromDisk) };
  const stated = subject.experiment?.parity;
  if (stated === undefined) return undefined;
  return { name: stated, config: loadConfig(resolve(dirname(subject.file), stated), readTextFromDisk) };
}

function optionsOf(values: OptionValues): SolveOptions {
  const { target, keys, limit } = values;
  const chosen = target === undefined ? 'both' : targets.find((known) => known === target);
  if (chosen === undefined) throw new WrongUse(`--target is one of ${targets.join(', ')}.`);
  const most = limit === undefined ? undefined : Number(limit);
  if (most !== undefined && !(Number.isInteger(most) && most > 0))
    throw new WrongUse('--limit is a whole number of choices, as in --limit 5.');
  const wanted = (Array.isArray(keys) ? keys : []).flatMap((key) => String(key).split(',')).map(fullKey);
  return { target: chosen, ...(most === undefined ? {} : { limit: most }), ...(keys === undefined ? {} : { keys: wanted }) };
}

/** `experts` for `model.moe.experts`: the end of a key, where it is that of a single one, or one of `model.moe`. */
function fullKey(key: string): string {
  const known = knobKeys.filter((one) => one === key || one.endsWith(`.${key}`));
  const [only] = known.length === 1 ? known : known.filter((one) => one === key || one === `model.moe.${key}`);
  if (only === undefined) throw new WrongUse(`The solver changes no ${key}; it changes ${knobKeys.join(', ')}.`);
  return only;
}

/** Writes the best choice into the config, whose comments stay; says what it did. */
function writeBest({ file, experiment }: Pick<LoadedConfig, 'file' | 'experiment'>, { choices: [best] }: Solution): string {
  const text = readTextFromDisk(file);
  const remedy = best && experiment && remedyOfChoice(best, experiment);
  const edits = text === undefined || remedy === undefined ? undefined : editsFor(text, remedy.changes);
  if (best === undefined || text === undefined || edits === undefined) {
    throw new WrongUse(`${file} cannot be edited safely; write the sizes into it by hand.`);
  }
  if (edits.length === 0) return `${file} says ${sizesText(best.changes)} already.`;
  writeFileSync(file, applyEdits(text, edits));
  return `${file} now says ${sizesText(best.changes)}.`;
}

/**
 * The published form; its keys are a contract with other programs. Residuals are fractions of the baseline: 0.0052 is half a percent more.
 */
function asJson(file: string, baseline: string, { scope, exact, exactWithRouter, choices }: Solution, reach: Reach | undefined): object {
  return { schemaVersion: 1, file, baseline, scope, exact, exactWithRouter, ...reach, choices };
}
