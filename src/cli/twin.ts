import { existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { loadConfig } from '../config/loadConfig';
import { readTextFromDisk } from '../config/readTextFromDisk';
import { configSubject, fixedKTwin, type TwinSubject } from '../parity/fixedKTwin';
import { costSentence, poorControl } from '../parity/twinText';
import { runTwinSubject } from '../runs/runTwinSubject';
import { exitCode, WrongUse, type Command } from './command';
import { familyTwin } from './familyTwin';
import { reportProblem } from './problem';
import { findRun, runsDirectoryOf } from './runArgument';
import { printable, printableLines } from './terminal/printable';
import { writeNew } from './writeNew';

export const command: Command = {
  summary: 'Write the twin of a config at equal cost in another family, or with a fixed k of a run or config whose k varies.',
  usage:
    'twin RUN_OR_CONFIG [--out FILE] [--runs DIR] [--json]\n       moe-lab twin CONFIG --family smoe|fine-grained|mh-moe [--heads N] [--out FILE] [--json]',
  options: { out: { type: 'string' }, runs: { type: 'string' }, family: { type: 'string' }, heads: { type: 'string' } },
  async run(context) {
    if (context.values['family'] !== undefined) return familyTwin(context);
    if (context.values['heads'] !== undefined) throw new WrongUse('--heads is for --family mh-moe.');
    const { positionals, values, stdout, stderr, cwd } = context;
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
