import { existsSync, statSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { loadConfig } from '../config/loadConfig';
import { readTextFromDisk } from '../config/readTextFromDisk';
import { compareConfigs, type ComparedSide, type ConfigComparison } from '../language/compareConfigs';
import { costRows, keyRows, parityRows, sameCosts, sameText } from '../language/comparisonText';
import { readRunExperiment } from '../runs/runExperiment';
import { ConfigRejected } from '../worker/runFailure';
import { exitCode, WrongUse, type Command } from './command';
import { writeFindings } from './findings';
import { reportProblem } from './problem';
import { findRun, runsDirectoryOf } from './runArgument';
import { printable } from './terminal/printable';
import { textTable } from './textTable';

export const command: Command = {
  summary: 'Say what differs between two configs, or a config and a run, and in what they cost.',
  usage: 'compare CONFIG_OR_RUN CONFIG_OR_RUN [--runs DIR] [--json]',
  options: { runs: { type: 'string' } },
  async run({ positionals, values, stdout, stderr, cwd }) {
    const [first, second, ...others] = positionals;
    if (first === undefined || second === undefined || others.length > 0)
      throw new WrongUse('Name two configs or runs, as in moe-lab compare smoe.moe.yaml mh-moe.moe.yaml.');
    try {
      const sides: ComparedSide[] = [];
      for (const name of [first, second]) {
        const side = await sideOf(name, runsDirectoryOf(values, cwd), cwd);
        if (side === undefined) throw new ConfigRejected(resolve(cwd, name), findingsOf(resolve(cwd, name)));
        sides.push(side);
      }
      const [one, other] = sides;
      if (one === undefined || other === undefined) throw new WrongUse('Name two configs or runs.');
      // Warnings stay with `moe-lab check`: here it is about what differs.
      const comparison = compareConfigs(one, other);
      stdout.write(values['json'] === true ? `${JSON.stringify(asJson(comparison, first, second))}\n` : `${asText(comparison)}\n`);
      return exitCode.done;
    } catch (error) {
      if (error instanceof ConfigRejected) writeFindings(error.findings, stderr, cwd);
      else if (!reportProblem(error, stderr, cwd)) throw error;
      return exitCode.findings;
    }
  },
};

/** A file is a config, anything else a run; undefined for a config with errors. */
async function sideOf(name: string, runsDirectory: string, cwd: string): Promise<ComparedSide | undefined> {
  const path = resolve(cwd, name);
  const isFile = existsSync(path) ? statSync(path).isFile() : /\.ya?ml$/i.test(name);
  if (!isFile) return readRunExperiment(await findRun(name, runsDirectory, cwd));
  const { experiment } = loadConfig(path, readTextFromDisk);
  return experiment && { name: basename(path), experiment, folder: dirname(path) };
}

function findingsOf(file: string): ConfigRejected['findings'] {
  return loadConfig(file, readTextFromDisk).findings;
}

/** Its keys are a contract with other programs; residuals are fractions, of the second against the first. */
function asJson({ identical, keys, costs, parity, names }: ConfigComparison, one: string, other: string): object {
  const { scope, compared, model } = parity;
  return {
    schemaVersion: 1,
    identical,
    one: { argument: one, name: names[0] },
    other: { argument: other, name: names[1] },
    // A key that is not there is null: JSON has nothing less.
    keys: keys.map((difference) => ({ key: difference.key, one: difference.one ?? null, other: difference.other ?? null })),
    costs,
    parity: { scope, compared, model },
  };
}

function asText(comparison: ConfigComparison): string {
  const same = sameText(comparison);
  if (same !== undefined) return printable(same);
  const figures = (rows: readonly (readonly string[])[]): string =>
    textTable(
      rows,
      (rows[0] ?? []).map((_, column) => column > 0),
    );
  const keys = textTable(keyRows(comparison), [false, false, false]);
  if (comparison.costs.length === 0) return `${keys}\n\n${sameCosts}`;
  return [keys, figures(costRows(comparison)), figures(parityRows(comparison))].join('\n\n');
}
