import { existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { loadConfig } from '../config/loadConfig';
import { readTextFromDisk } from '../config/readTextFromDisk';
import { configSubject, fixedKTwin, type TwinSubject } from '../parity/fixedKTwin';
import { costSentence, poorControl } from '../parity/twinText';
import { runTwinSubject } from '../runs/runTwinSubject';
import { exitCode, WrongUse, type Command } from './command';
import { reportProblem } from './problem';
import { findRun, runsDirectoryOf } from './runArgument';
import { printable, printableLines } from './terminal/printable';

export const command: Command = {
  summary: 'Write the twin with a fixed k of a run or config whose k varies.',
  usage: 'twin RUN_OR_CONFIG [--out FILE] [--runs DIR] [--json]',
  options: { out: { type: 'string' }, runs: { type: 'string' } },
  async run({ positionals, values, stdout, stderr, cwd }) {
    const [name, ...others] = positionals;
    if (name === undefined || others.length > 0) {
      throw new WrongUse('Name one run or config, as in moe-lab twin dynamic.moe.yaml; `moe-lab runs` lists the runs.');
    }
    const out = typeof values['out'] === 'string' ? resolve(cwd, values['out']) : undefined;
    try {
      const subject = await subjectOf(name, runsDirectoryOf(values, cwd), cwd);
      const twin = fixedKTwin(subject, dirname(out ?? subject.configFile), readTextFromDisk);
      if (out !== undefined) writeNew(out, twin.text);
      const { k, macsPerToken, macsAtMeanK, difference, text, cautions } = twin;
      const cost = costSentence(macsPerToken, macsAtMeanK);
      if (values['json'] === true) {
        const figures = { k, meanK: subject.mean.k, macsPerToken, macsAtMeanK, difference, cautions };
        stdout.write(`${JSON.stringify({ schemaVersion: 1, file: out ?? null, ...figures, yaml: text })}\n`);
      } else if (out === undefined) stdout.write(text);
      else stdout.write(printableLines(`${[`${printable(out)}: k = ${k}, ${cost}`, ...cautions.map(poorControl)].join('\n')}\n`));
      return exitCode.done;
    } catch (error) {
      if (reportProblem(error, stderr, cwd)) return exitCode.findings;
      throw error;
    }
  },
};

/** A file is a config, anything else a run: a path of one, an id, or the beginning or end of one. */
async function subjectOf(name: string, runsDirectory: string, cwd: string): Promise<TwinSubject> {
  const path = resolve(cwd, name);
  if (existsSync(path) && statSync(path).isFile()) return configSubject(loadConfig(path, readTextFromDisk));
  return runTwinSubject(await findRun(name, runsDirectory, cwd));
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, text, { flag: 'wx' });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') throw new WrongUse(`${file} is there already; choose another name.`);
    if (code === 'ENOENT') throw new WrongUse(`There is no folder ${dirname(file)}.`);
    throw error;
  }
}
