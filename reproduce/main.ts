import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { interruption } from '../src/cli/interruption';
import { createThreadedEngine } from '../src/engine/threaded/threadHost';
import { replaceSection } from './markdown';
import { mhMoeSmall } from './mhMoeSmall/mhMoeSmall';
import { Interrupted, Problem } from './problem';
import { sampleFloor } from './sampleFloor/sampleFloor';
import { switchHeadSmall } from './switchHeadSmall/switchHeadSmall';

const names = ['mh-moe-small', 'switchhead-small', 'sample-floor'];

const usage = `usage: npm run reproduce -- mh-moe-small --data DIR [--size small|tiny] [--out DIR] [--jobs N] [--docs FILE]
       npm run reproduce -- switchhead-small --data DIR [--size small|tiny] [--out DIR] [--jobs N] [--docs FILE]
       npm run reproduce -- sample-floor [--size small|tiny] [--out DIR] [--jobs N] [--docs FILE]

mh-moe-small       2411.16205 in small: dense, SMoE, fine-grained and MH-MoE models at equal MACs and parameters, three seeds each.
switchhead-small   2312.07987 in small: SwitchHead beside dense attention with as many heads as it has experts, and with as few heads as it has.
sample-floor       How far each kind of model stays above the known entropy of the sample corpus.

--data   a folder with redpajama/*.jsonl ({"text": ...} a line) and, if at hand, wikitext-2/valid.txt and c4/*.jsonl
--out    text, configs, runs, result.json and report.md; out/reproduce/NAME-SIZE if left out. A second start goes on from what is there
--jobs   trainings at the same time, of one thread each; as many as two cores allow if left out
--docs   a Markdown file whose section between <!-- begin: NAME --> and <!-- end: NAME --> the report replaces`;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      data: { type: 'string' },
      size: { type: 'string', default: 'small' },
      out: { type: 'string' },
      jobs: { type: 'string' },
      docs: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  const [name, ...others] = positionals;
  if (values.help === true || name === undefined || !names.includes(name) || others.length > 0)
    return say(usage, values.help === true ? 0 : 2);
  const { size } = values;
  const parallel = Number(values.jobs ?? Math.min(2, availableParallelism()));
  if (size !== 'small' && size !== 'tiny') return say(`There is no size ${size}; use small or tiny.`, 2);
  if (!(Number.isSafeInteger(parallel) && parallel > 0)) return say(`--jobs takes a positive whole number, not ${values.jobs}.`, 2);
  const folder = resolve(values.out ?? join('out', 'reproduce', `${name}-${size}`));
  const common = {
    size,
    folder,
    parallel,
    engine: () => createThreadedEngine(join(__dirname, 'engineThread.js'), 'cpu'),
    print: (line: string): void => void process.stdout.write(`${line}\n`),
    signal: interruption(() => process.stdout.write('\nStopping after this step, with checkpoints; the same command goes on.\n')),
  } as const;
  if (name === 'sample-floor') {
    await sampleFloor(common);
  } else {
    if (values.data === undefined) return say(`--data is needed.\n\n${usage}`, 2);
    const options = { ...common, data: resolve(values.data) };
    await (name === 'mh-moe-small' ? mhMoeSmall(options) : switchHeadSmall(options));
  }
  const report = await readFile(join(folder, 'report.md'), 'utf8');
  process.stdout.write(
    `\n${report}\nWritten to ${join(folder, 'report.md')}; moe-lab runs --runs ${join(folder, 'runs')} lists the trainings.\n`,
  );
  if (values.docs !== undefined) await replaceSection(values.docs, name, report);
  return 0;
}

function say(text: string, code: number): number {
  (code === 0 ? process.stdout : process.stderr).write(`${text}\n`);
  return code;
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    process.exitCode = 1;
    if (error instanceof Interrupted) process.stderr.write('Stopped; the same command goes on where it was.\n');
    else if (error instanceof Problem) process.stderr.write(`${error.message}\n`);
    else process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  },
);
