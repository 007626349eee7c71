import { dirname, resolve } from 'node:path';
import { loadConfig } from '../config/loadConfig';
import { readTextFromDisk } from '../config/readTextFromDisk';
import type { ParityResiduals } from '../parity/compareWithBaseline';
import { comparedNames } from '../parity/comparedPart';
import { formatBothAxes } from '../parity/formatCount';
import { parityTwin } from '../parity/parityTwin';
import { twinFamilies, type TwinFamily } from '../parity/twinFamily';
import { ConfigRejected } from '../worker/runFailure';
import { exitCode, WrongUse, type CommandContext, type OptionValues } from './command';
import { reportProblem } from './problem';
import { printable, printableLines } from './terminal/printable';
import { writeNew } from './writeNew';

/** `moe-lab twin CONFIG --family FAMILY`: the config of another family that costs as much. */
export function familyTwin({ positionals, values, stdout, stderr, cwd }: CommandContext): number {
  const [name, ...others] = positionals;
  if (name === undefined || others.length > 0) throw new WrongUse('Name one config, as in moe-lab twin smoe.moe.yaml --family mh-moe.');
  const { family, heads } = familyOf(values);
  const configFile = resolve(cwd, name);
  const out = typeof values['out'] === 'string' ? resolve(cwd, values['out']) : undefined;
  try {
    const { experiment, findings } = loadConfig(configFile, readTextFromDisk);
    if (experiment === undefined) throw new ConfigRejected(configFile, findings);
    const folder = dirname(out ?? configFile);
    const twin = parityTwin({
      configFile,
      experiment,
      family,
      folder,
      readText: readTextFromDisk,
      ...(heads === undefined ? {} : { heads }),
    });
    const { changes, cautions, text, parity } = twin;
    if (out !== undefined) writeNew(out, text);
    if (values['json'] === true) {
      stdout.write(`${JSON.stringify({ schemaVersion: 1, file: out ?? null, family, changes, parity, cautions, yaml: text })}\n`);
    } else if (out === undefined) stdout.write(text);
    else stdout.write(printableLines(`${[`${printable(out)}: ${costText(parity)}`, ...cautions].join('\n')}\n`));
    return exitCode.done;
  } catch (error) {
    if (reportProblem(error, stderr, cwd)) return exitCode.findings;
    throw error;
  }
}

function familyOf({ family, heads }: OptionValues): { readonly family: TwinFamily; readonly heads: number | undefined } {
  const known = twinFamilies.find((one) => one === family);
  if (known === undefined) throw new WrongUse(`There is no family ${String(family)}; use one of ${twinFamilies.join(', ')}.`);
  if (heads === undefined) return { family: known, heads: undefined };
  if (known !== 'mh-moe') throw new WrongUse('--heads is for --family mh-moe.');
  const count = Number(heads);
  if (!Number.isSafeInteger(count) || count < 2) throw new WrongUse(`--heads takes a whole number from 2, not ${String(heads)}.`);
  return { family: known, heads: count };
}

/** `MACs 0.00 % (+0.54 % with router), parameters −0.78 % (−0.76 % with router) against smoe.moe.yaml, of the layers that differ`. */
function costText({ baseline, compared }: ParityResiduals): string {
  return `${formatBothAxes(compared)} against ${baseline}, of ${comparedNames[compared.scope]}`;
}
