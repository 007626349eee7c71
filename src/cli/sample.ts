import { join, relative, resolve } from 'node:path';
import { writeSampleWorkspace, type SampleWorkspace } from '../data/sampleWorkspace';
import { exitCode, WrongUse, type Command } from './command';
import { reportProblem } from './problem';
import { printable } from './terminal/printable';

/** The config that is trained first. */
const first = 'mh-moe.moe.yaml';

export const command: Command = {
  summary: 'Write a sample experiment: text of known entropy, and configs of equal compute.',
  usage: 'sample DIR [--json]',
  options: {},
  async run({ positionals, values, stdout, stderr, cwd }) {
    const [name, ...others] = positionals;
    if (name === undefined || others.length > 0)
      throw new WrongUse('Name one folder, as in moe-lab sample try; it is made if it is not there.');
    const folder = resolve(cwd, name);
    try {
      const { written, existed } = await write(folder);
      if (values['json'] === true) stdout.write(`${JSON.stringify({ schemaVersion: 1, folder, written, existed })}\n`);
      else
        stdout.write(
          `${printable(summary(folder, written, existed))}\nNext: moe-lab run ${printable(argument(relative(cwd, join(folder, first))))}\n`,
        );
      return exitCode.done;
    } catch (error) {
      if (reportProblem(error, stderr, cwd)) return exitCode.findings;
      throw error;
    }
  },
};

class SampleNotWritten extends Error {
  override readonly name = 'SampleNotWritten';
  readonly advice = 'Choose a folder that can be written.';
}

async function write(folder: string): Promise<SampleWorkspace> {
  try {
    return await writeSampleWorkspace(folder);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SampleNotWritten(`The sample could not be written into ${folder}: ${reason}.`, { cause: error });
  }
}

function summary(folder: string, { length: written }: readonly string[], { length: existed }: readonly string[]): string {
  if (written === 0) return `${folder}: the sample was here already; nothing was written.`;
  const left =
    existed === 0
      ? ''
      : `, ${files(existed)} that ${existed === 1 ? 'was' : 'were'} there left as ${existed === 1 ? 'it was' : 'they were'}`;
  return `${folder}: ${files(written)} written${left}.`;
}

function files(count: number): string {
  return `${count} ${count === 1 ? 'file' : 'files'}`;
}

/** As a shell takes it. */
function argument(path: string): string {
  return /^[\w./\\:@+-]+$/.test(path) ? path : `"${path}"`;
}
