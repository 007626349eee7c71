import { runJobs, type Job, type JobOptions, type JobResult } from '../jobs';
import { Problem } from '../problem';
import { Progress } from '../progress';
import type { PreparedTexts } from '../text';
import { finalJobs, sweepJobs, type ComparedModel, type OptimiserSetting, type TrainingPlan } from './plan';

/** What the trainings of one model gave. Losses in nats per byte; null where a training diverged. */
export interface TrainedModel {
  readonly name: string;
  /** Loss on the tuning text by rate. */
  readonly sweep: readonly { readonly rate: number; readonly loss: number | null }[];
  /** The rate of the least of them. */
  readonly rate: number;
  /** By seed, on each validation set. */
  readonly seeds: readonly { readonly seed: number; readonly losses: Readonly<Record<string, number>> | null }[];
}

export interface Comparison {
  readonly models: readonly TrainedModel[];
  /** Sum of the trainings' own times. */
  readonly trainingSeconds: number;
}

export interface ComparisonRequest {
  readonly plan: TrainingPlan;
  readonly setting: OptimiserSetting;
  readonly models: readonly ComparedModel[];
  readonly texts: PreparedTexts;
  readonly jobs: Omit<JobOptions, 'onProgress'>;
  readonly print: (line: string) => void;
}

/** Trains every model at each rate, then at its best one with each seed. Throws Problem for a model that diverges at every rate. */
export async function trainCompared({ plan, setting, models, texts, jobs, print }: ComparisonRequest): Promise<Comparison> {
  const progress = new Progress(stepsOf(plan, models), print);
  const options: JobOptions = { ...jobs, onProgress: (slug, step) => progress.report(slug, step) };
  const train = async (wanted: readonly Job[]): Promise<JobResult[]> => {
    const results = await runJobs(wanted, options);
    for (const { slug } of wanted) progress.finish(slug);
    return results;
  };
  const swept = chunks(await train(models.flatMap((model) => sweepJobs(plan, setting, model, texts))), plan.rates.length);
  const sweeps = models.map((model, index) => bestRate(plan, model, swept[index] ?? []));
  models.forEach(({ name }, index) => print(`${name}: learning rate ${sweeps[index]?.rate}`));
  const finals = models.flatMap((model, index) => finalJobs(plan, setting, model, texts, sweeps[index]?.rate ?? Number.NaN));
  const trained = chunks(await train(finals), plan.seeds.length);
  return {
    models: models.map(({ name }, index) => ({
      name,
      sweep: sweeps[index]?.sweep ?? [],
      rate: sweeps[index]?.rate ?? Number.NaN,
      seeds: plan.seeds.map((seed, place) => ({ seed, losses: trained[index]?.[place]?.losses ?? null })),
    })),
    trainingSeconds: [...swept, ...trained].flat().reduce((sum, { seconds }) => sum + seconds, 0),
  };
}

function stepsOf(plan: TrainingPlan, models: readonly ComparedModel[]): Map<string, number> {
  return new Map(
    models.flatMap(({ slug }) => [
      ...plan.rates.map((rate): [string, number] => [`sweep-${slug}-${rate}`, plan.sweepSteps]),
      ...plan.seeds.map((seed): [string, number] => [`${slug}-seed-${seed}`, plan.steps]),
    ]),
  );
}

function bestRate(plan: TrainingPlan, { name }: ComparedModel, results: readonly JobResult[]): Pick<TrainedModel, 'rate' | 'sweep'> {
  const sweep = plan.rates.map((rate, index) => ({ rate, loss: results[index]?.losses?.['tuning'] ?? null }));
  const [best] = sweep.filter(({ loss }) => loss !== null).sort((one, other) => (one.loss ?? 0) - (other.loss ?? 0));
  if (best === undefined) throw new Problem(`${name} diverged at every learning rate of the sweep.`);
  return { rate: best.rate, sweep };
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}
