import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { experimentSchema, type RunnableExperiment } from '../src/config/schema';
import { createEngine } from '../src/engine/onnx/createEngine';
import type { StateTensor } from '../src/engine/engine';
import { elementCount } from '../src/graph/dimensions';
import { buildLanguageModel } from '../src/models/languageModel';
import { checkpointBytes, latestCheckpoint, writeCheckpoint } from '../src/training/checkpoint/checkpoint';
import { prepareCorpora, sessionOptions } from '../src/training/prepare';
import { trainExperiment } from '../src/training/train';
import type { ValidationEvent } from '../src/training/trainingEvents';

/**
 * A small language model whose middle layer retrieves from a million experts, trained on text three times, each in a process of its own:
 * without a break; stopped half way, with a checkpoint on disk; and resumed from that. The last must end as the first, to the last bit of
 * the state.
 */

const { values: flags } = parseArgs({
  options: {
    data: { type: 'string', multiple: true, default: [] },
    steps: { type: 'string', default: '200' },
    experts: { type: 'string', default: String(1024 ** 2) },
    threads: { type: 'string', default: '0' },
    folder: { type: 'string' },
    part: { type: 'string' },
  },
  allowPositionals: true,
});
const steps = Number(flags.steps);
const half = Math.floor(steps / 2);

const parts = ['whole', 'stopped', 'resumed'] as const;
type Part = (typeof parts)[number];

/** Bytes of the text that are kept for validation. */
const VALIDATION_BYTES = 16_384;

interface PartResult {
  readonly outcome: string;
  /** Per step. */
  readonly losses: readonly number[];
  readonly gradientNorms: readonly number[];
  readonly rowsTouched: readonly number[];
  readonly secondsPerStep: number;
  readonly validations: readonly ValidationEvent[];
  /** SHA-256 of the whole state at the end; of a stopped part nothing. */
  readonly digest: string;
  readonly peakBytes: number;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);
const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;

function experimentIn(folder: string): RunnableExperiment {
  const experiment = experimentSchema.parse({
    model: {
      d_model: 256,
      layers: 3,
      context: 128,
      attention: { heads: 4 },
      ffn: { width: 1024 },
      product_keys: { experts: Number(flags.experts), heads: 8, top_k: 16 },
    },
    train: { steps, batch_tokens: 1024, micro_batch: 4, learning_rate: 1e-3, warmup: 20, schedule: 'cosine' },
    data: { train: [join(folder, 'train.txt')], validation: { text: [join(folder, 'validation.txt')] } },
    evaluate: { every: half },
    checkpoint: { every: 1_000_000 },
    engine: { threads: Number(flags.threads) },
  });
  const { train, data } = experiment;
  if (train === undefined || data === undefined) throw new Error('The experiment can be trained.');
  return { ...experiment, train, data };
}

async function digestOf(tensors: AsyncIterable<StateTensor>): Promise<string> {
  const hash = createHash('sha256');
  for await (const { kind, name, data } of tensors) {
    hash.update(`${kind}/${name}`);
    hash.update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  return hash.digest('hex');
}

async function train(part: Part, folder: string): Promise<PartResult> {
  const experiment = experimentIn(folder);
  const program = buildLanguageModel(experiment);
  const sizes = sessionOptions(experiment);
  const directory = join(folder, 'checkpoints');
  const corpora = await prepareCorpora(experiment, folder);
  const session = await createEngine('cpu').compile(program, sizes);
  const checkpoint = part === 'resumed' ? (await latestCheckpoint(directory)).checkpoint : undefined;
  if (part === 'resumed' && checkpoint === undefined) throw new Error('There is no checkpoint to resume from.');
  const losses: number[] = [];
  const gradientNorms: number[] = [];
  const rowsTouched: number[] = [];
  const times: number[] = [];
  const validations: ValidationEvent[] = [];
  let digest = '';
  let stop = false;
  let before = performance.now();
  const outcome = await trainExperiment({
    experiment,
    corpora,
    session,
    control: {
      get stopRequested() {
        return stop;
      },
      checkpointRequested: false,
      checkpointDone: () => undefined,
    },
    observer: {
      onStep: ({ step, loss, gradientNorm, retrievals }) => {
        const now = performance.now();
        times.push(now - before);
        before = now;
        losses.push(loss);
        gradientNorms.push(gradientNorm);
        rowsTouched.push(retrievals[0]?.experts.length ?? 0);
        if (part === 'stopped' && step === half) stop = true;
        if (step % 20 === 0) print(`  ${part}: step ${step}, loss ${loss.toFixed(3)}, ${retrievals[0]?.experts.length ?? 0} rows touched`);
      },
      onValidation: (event) => {
        validations.push(event);
        before = performance.now();
      },
      onCheckpoint: async (state, tensors) => {
        if (part === 'stopped') await writeCheckpoint({ directory, program, sizes, state, tensors, keep: 1 });
        else digest = await digestOf(tensors);
      },
    },
    ...(checkpoint === undefined ? {} : { resume: { state: checkpoint.state, tensors: checkpoint.tensors() } }),
  });
  await session.dispose();
  const sorted = [...times].sort((a, b) => a - b);
  return {
    outcome: `${outcome.kind} at step ${outcome.step}`,
    losses,
    gradientNorms,
    rowsTouched,
    secondsPerStep: (sorted[Math.floor(sorted.length / 2)] ?? Number.NaN) / 1000,
    validations,
    digest,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}

async function inProcess(part: Part, folder: string): Promise<PartResult> {
  await new Promise<void>((resolve, reject) => {
    const child = fork(process.argv[1] ?? '', [...process.argv.slice(2), '--part', part, '--folder', folder]);
    child.once('exit', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`Part ${part} ended with ${signal ?? `code ${code}`}.`)),
    );
  });
  const result = JSON.parse(readFileSync(join(folder, `${part}.json`), 'utf8')) as PartResult;
  const [last] = result.validations.slice(-1);
  const perplexity = last === undefined ? 'none' : `${last.sets.text?.perplexity.toFixed(3)} at step ${last.step}`;
  print(
    `${part}: ${result.outcome}, ${result.secondsPerStep.toFixed(2)} s a step, validation perplexity ${perplexity}, most memory ${gigabytes(result.peakBytes)}`,
  );
  return result;
}

async function compare(folder: string): Promise<void> {
  const text = Buffer.concat(flags.data.map((file) => readFileSync(file)));
  if (text.length < 20 * VALIDATION_BYTES) throw new Error(`Name text of at least ${20 * VALIDATION_BYTES} bytes with --data FILE.`);
  writeFileSync(join(folder, 'train.txt'), text.subarray(0, -VALIDATION_BYTES));
  writeFileSync(join(folder, 'validation.txt'), text.subarray(-VALIDATION_BYTES));
  const experiment = experimentIn(folder);
  const program = buildLanguageModel(experiment);
  const parameters = program.parameters.reduce((sum, { shape }) => sum + elementCount(shape), 0);
  const state = gigabytes(checkpointBytes(program, sessionOptions(experiment)));
  print(
    `${flags.experts} experts, ${(parameters / 1e6).toFixed(1)} M parameters, checkpoints of ${state}, ${steps} steps on ${text.length} bytes of text.`,
  );
  const whole = await inProcess('whole', folder);
  const stopped = await inProcess('stopped', folder);
  const resumed = await inProcess('resumed', folder);

  const same = (figure: 'losses' | 'gradientNorms') =>
    JSON.stringify([...stopped[figure], ...resumed[figure]]) === JSON.stringify(whole[figure]);
  const sets = ({ validations }: PartResult) => JSON.stringify(validations.at(-1)?.sets);
  const answer = (what: string, held: boolean) => print(`${what}: ${held ? 'yes' : 'NO'}`);
  print(
    `Loss ${whole.losses[0]?.toFixed(3)} -> ${whole.losses.at(-1)?.toFixed(3)}; most rows touched in a step ${Math.max(...whole.rowsTouched)}`,
  );
  answer('Every loss and gradient norm the same with the stop', same('losses') && same('gradientNorms'));
  answer('The state at the end the same to the last bit', whole.digest !== '' && whole.digest === resumed.digest);
  answer('The validation at the end the same', sets(whole) === sets(resumed));
  answer('Memory under 10 GB', Math.max(whole.peakBytes, stopped.peakBytes, resumed.peakBytes) < 10e9);
}

async function run(): Promise<void> {
  const part = parts.find((name) => name === flags.part);
  if (part !== undefined && flags.folder !== undefined) {
    writeFileSync(join(flags.folder, `${part}.json`), JSON.stringify(await train(part, flags.folder)));
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'moe-lab-peer-'));
  try {
    await compare(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

run().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
