import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { causality } from '../../src/config/causality';
import { experimentSchema, type ExperimentInput } from '../../src/config/schema';
import { generateSampleCorpus, sampleKinds } from '../../src/data/sampleCorpus';
import type { Engine } from '../../src/engine/engine';
import { countModel } from '../../src/models/count';
import { buildLanguageModel } from '../../src/models/languageModel';
import { runJobs, type Job } from '../jobs';
import { table } from '../markdown';
import { Progress } from '../progress';
import { writeWhereNew } from '../writeWhereNew';
import type { ComparedModel } from '../comparison/plan';
import { floorModels } from './models';

export interface FloorOptions {
  readonly size: keyof typeof sizes;
  readonly folder: string;
  readonly engine: () => Engine;
  readonly parallel: number;
  readonly print: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** As `npm start` trains: 400 steps of 1,536 bytes of a corpus that is larger than what they read. */
const sizes = {
  tiny: { width: 24, layers: 2, context: 32, corpusBytes: 1 << 14, steps: 2, windows: 4 },
  small: { width: 96, layers: 4, context: 128, corpusBytes: 3 << 18, steps: 400, windows: 12 },
};

/** What `sample-floor` writes as `result.json`. Nats per byte. */
export interface FloorResult {
  readonly schemaVersion: 1;
  /** What a model needs that knows the grammar, by kind of text. */
  readonly floors: Readonly<Record<string, { readonly bytes: number; readonly nats: number }>>;
  readonly models: readonly {
    readonly name: string;
    /** It sees later text, so that its perplexity is not a language model's. */
    readonly notCausal: boolean;
    readonly parameters: number;
    readonly macs: number;
    /** Validation loss by kind; null where the training diverged. */
    readonly losses: Readonly<Record<string, number>> | null;
    readonly seconds: number;
  }[];
}

/** How far each kind of model stays above the known entropy of the sample corpus. Writes `result.json` and `report.md`. One seed. */
export async function sampleFloor({ size, folder, engine, parallel, print, signal }: FloorOptions): Promise<FloorResult> {
  const { width, layers, context, corpusBytes, steps } = sizes[size];
  const floored = floorModels(width, layers, context);
  const corpus = generateSampleCorpus(1, corpusBytes);
  for (const { path, text } of corpus.files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeWhereNew(join(folder, path), text);
  }
  const jobs = floored.map((model) => jobOf(model, sizes[size]));
  const progress = new Progress(new Map(jobs.map(({ slug }) => [slug, steps])), print);
  const results = await runJobs(jobs, {
    folder,
    engine,
    parallel,
    onProgress: (slug, step) => progress.report(slug, step),
    ...(signal === undefined ? {} : { signal }),
  });
  const result: FloorResult = {
    schemaVersion: 1,
    floors: Object.fromEntries(sampleKinds.map((kind) => [kind, floorOf(corpus.entropy[kind].validation)])),
    models: floored.map(({ name, model }, index) => {
      const experiment = experimentSchema.parse({ model });
      const { parameters, macsPerToken } = countModel(buildLanguageModel(experiment), experiment.model);
      const { losses = null, seconds = 0 } = results[index] ?? {};
      return { name, notCausal: !causality(experiment).causal, parameters: parameters.total, macs: macsPerToken.total, losses, seconds };
    }),
  };
  await writeFile(join(folder, 'result.json'), `${JSON.stringify(result, undefined, 1)}\n`);
  await writeFile(join(folder, 'report.md'), `${floorReport(result)}\n`);
  return result;
}

function floorOf({ bytes, nats }: { readonly bytes: number; readonly nats: number }) {
  return { bytes, nats: nats / bytes };
}

function jobOf({ slug, name, model }: ComparedModel, { steps, windows }: (typeof sizes)[keyof typeof sizes]): Job {
  const experiment: ExperimentInput = {
    name,
    model,
    train: {
      steps,
      batch_tokens: windows * model.context,
      micro_batch: windows,
      learning_rate: 3e-3,
      min_learning_rate: 3e-4,
      warmup: Math.min(30, steps),
      seed: 1,
    },
    data: {
      train: ['corpus/train/*.txt'],
      validation: Object.fromEntries(sampleKinds.map((kind) => [kind, [`corpus/validation/${kind}.txt`]])),
    },
    evaluate: { every: steps },
    checkpoint: { every: Math.ceil(steps / 2), keep: 1 },
    engine: { device: 'cpu', threads: 1 },
  };
  return { slug, experiment };
}

function floorReport({ floors, models }: FloorResult): string {
  const kinds = Object.keys(floors);
  const all = Object.values(floors);
  const bytes = all.reduce((sum, floor) => sum + floor.bytes, 0);
  const whole = (valueOf: (kind: string) => number) =>
    kinds.reduce((sum, kind) => sum + valueOf(kind) * (floors[kind]?.bytes ?? 0), 0) / bytes;
  const floor = whole((kind) => floors[kind]?.nats ?? Number.NaN);
  const rows = models.map(({ name, notCausal, parameters, macs, losses }) => {
    const gap = (kind: string) => (losses?.[kind] ?? Number.NaN) - (floors[kind]?.nats ?? Number.NaN);
    const shown =
      losses === null ? ['diverged', ...kinds.map(() => '-')] : [whole(gap).toFixed(3), ...kinds.map((kind) => gap(kind).toFixed(3))];
    return [`${name}${notCausal ? ' (**not causal**)' : ''}`, parameters.toLocaleString('en-US'), macs.toLocaleString('en-US'), ...shown];
  });
  return [
    'Validation loss above the entropy floor, nats per byte; one seed, the same setting for all.',
    table(
      ['model', 'parameters', 'MACs per token', 'all text', ...kinds],
      [...rows, ['*entropy floor*', '', '', floor.toFixed(3), ...all.map(({ nats }) => nats.toFixed(3))]],
    ),
  ].join('\n\n');
}
