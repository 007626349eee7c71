import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../src/engine/engine';
import { runJobs, type Job, type JobOptions, type JobResult } from '../jobs';
import { Problem } from '../problem';
import { Progress } from '../progress';
import { prepareTexts } from '../text';
import { countedAtParity, smallModels, type CountedModel } from './models';
import { finalJobs, plans, sweepJobs, type Plan, type PlanName } from './plan';
import { report } from './report';
import type { ModelResult, SmallResult } from './result';

export interface SmallOptions {
  readonly size: PlanName;
  /** Holds `redpajama/` and, if they are there, `c4/` and `wikitext-2/`. */
  readonly data: string;
  /** Where text, configs, runs and results go; a second start goes on from what is there. */
  readonly folder: string;
  readonly engine: () => Engine;
  readonly parallel: number;
  readonly print: (line: string) => void;
  readonly signal?: AbortSignal;
}

/**
 * 2411.16205 in small: dense, SMoE, fine-grained SMoE and MH-MoE with two and three heads at equal MACs and parameters, each at the best of a few
 * learning rates, over several seeds. Writes `result.json` and `report.md` into the folder and returns the result.
 */
export async function mhMoeSmall(options: SmallOptions): Promise<SmallResult> {
  const { size, data, folder, print, parallel } = options;
  const plan: Plan = plans[size];
  await mkdir(folder, { recursive: true });
  const texts = await prepareTexts(data, folder, plan.validationBytes);
  for (const what of texts.missing) print(`No ${what}: this set is left out.`);
  const models = countedAtParity(smallModels(plan));
  for (const line of parityLines(models)) print(line);

  const progress = new Progress(stepsOf(plan, models), print);
  const jobOptions: JobOptions = {
    folder,
    engine: options.engine,
    parallel,
    onProgress: (slug, step) => progress.report(slug, step),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
  const train = async (jobs: readonly Job[]): Promise<JobResult[]> => {
    const results = await runJobs(jobs, jobOptions);
    for (const { slug } of jobs) progress.finish(slug);
    return results;
  };

  const sweeps = models.map((model) => sweepJobs(plan, model, texts));
  const swept = chunks(await train(sweeps.flat()), plan.rates.length);
  const rates = models.map((model, index) => bestRate(plan, model, swept[index] ?? []));
  models.forEach(({ name }, index) => print(`${name}: learning rate ${rates[index]?.rate}`));
  const finals = models.map((model, index) => finalJobs(plan, model, texts, rates[index]?.rate ?? Number.NaN));
  const trained = chunks(await train(finals.flat()), plan.seeds.length);

  const result: SmallResult = {
    schemaVersion: 1,
    size,
    plan,
    texts,
    models: models.map((model, index) => modelResult(plan, model, rates[index], trained[index] ?? [])),
    trainingSeconds: [...swept, ...trained].flat().reduce((sum, { seconds }) => sum + seconds, 0),
    parallel,
  };
  await writeFile(join(folder, 'result.json'), `${JSON.stringify(result, undefined, 1)}\n`);
  await writeFile(join(folder, 'report.md'), `${report(result)}\n`);
  return result;
}

function parityLines(models: readonly CountedModel[]): string[] {
  const smoe = models.find(({ slug }) => slug === 'smoe');
  return models.map(({ name, macs, routedParameters, count }) => {
    const routed =
      routedParameters === 0
        ? 'no routed layers'
        : `${routedParameters} routed parameters (${(routedParameters / (smoe?.routedParameters ?? Number.NaN)).toFixed(4)} of SMoE)`;
    return `${name}: ${macs} MACs per token and ${count.macsPerToken.router} of routers, ${count.parameters.total} parameters, ${routed}`;
  });
}

function stepsOf(plan: Plan, models: readonly CountedModel[]): Map<string, number> {
  return new Map(
    models.flatMap(({ slug }) => [
      ...plan.rates.map((rate): [string, number] => [`sweep-${slug}-${rate}`, plan.sweepSteps]),
      ...plan.seeds.map((seed): [string, number] => [`${slug}-seed-${seed}`, plan.steps]),
    ]),
  );
}

interface Sweep {
  readonly rate: number;
  readonly sweep: ModelResult['sweep'];
}

/** The rate of the least loss on the tuning text. */
function bestRate(plan: Plan, { name }: CountedModel, results: readonly JobResult[]): Sweep {
  const sweep = plan.rates.map((rate, index) => ({ rate, loss: results[index]?.losses?.['tuning'] ?? null }));
  const [best] = sweep.filter(({ loss }) => loss !== null).sort((one, other) => (one.loss ?? 0) - (other.loss ?? 0));
  if (best === undefined) throw new Problem(`${name} diverged at every learning rate of the sweep.`);
  return { rate: best.rate, sweep };
}

function modelResult(plan: Plan, model: CountedModel, sweep: Sweep | undefined, results: readonly JobResult[]): ModelResult {
  const { name, count, macs, routedParameters } = model;
  return {
    name,
    parameters: count.parameters.total,
    activeParameters: count.parameters.active,
    activeIsUpperBound: count.activeIsUpperBound,
    macs,
    routerMacs: count.macsPerToken.router,
    routedParameters,
    sweep: sweep?.sweep ?? [],
    rate: sweep?.rate ?? Number.NaN,
    seeds: plan.seeds.map((seed, index) => ({ seed, losses: results[index]?.losses ?? null })),
  };
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size));
}
