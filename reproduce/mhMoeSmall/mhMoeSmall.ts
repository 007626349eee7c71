import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../src/engine/engine';
import { trainCompared, type TrainedModel } from '../comparison/trainCompared';
import { prepareTexts } from '../text';
import { countedAtParity, smallModels, type CountedModel } from './models';
import { plans, releasedSetting, type Plan, type PlanName } from './plan';
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

  const { models: trained, trainingSeconds } = await trainCompared({
    plan,
    setting: releasedSetting,
    models,
    texts,
    jobs: { folder, engine: options.engine, parallel, ...(options.signal === undefined ? {} : { signal: options.signal }) },
    print,
  });
  const result: SmallResult = {
    schemaVersion: 1,
    size,
    plan,
    texts,
    models: trained.flatMap((model, index) => modelResult(model, models[index]) ?? []),
    trainingSeconds,
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

function modelResult(trained: TrainedModel, counted: CountedModel | undefined): ModelResult | undefined {
  if (counted === undefined) return undefined;
  const { count, macs, routedParameters } = counted;
  return {
    ...trained,
    parameters: count.parameters.total,
    activeParameters: count.parameters.active,
    activeIsUpperBound: count.activeIsUpperBound,
    macs,
    routerMacs: count.macsPerToken.router,
    routedParameters,
  };
}
