import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine } from '../../src/engine/engine';
import { trainCompared } from '../comparison/trainCompared';
import { prepareTexts } from '../text';
import { attentionFigures } from './cost';
import { countedAtParity, switchHeadModels } from './models';
import { plans, releasedSetting, type Plan, type PlanName } from './plan';
import { report } from './report';
import type { ModelResult, SwitchHeadResult } from './result';

export interface SwitchHeadOptions {
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
 * 2312.07987 in small: SwitchHead beside its dense baseline of equal parameters, and beside dense attention with as few heads as it has, each at the
 * best of a few learning rates, over several seeds. Writes `result.json` and `report.md` into the folder and returns the result.
 */
export async function switchHeadSmall(options: SwitchHeadOptions): Promise<SwitchHeadResult> {
  const { size, data, folder, engine, parallel, print, signal } = options;
  const plan: Plan = plans[size];
  await mkdir(folder, { recursive: true });
  const texts = await prepareTexts(data, folder, plan.validationBytes);
  for (const what of texts.missing) print(`No ${what}: this set is left out.`);
  const models = countedAtParity(switchHeadModels(plan));
  for (const { name, count } of models) print(`${name}: ${count.parameters.total} parameters, ${count.macsPerToken.total} MACs per token`);
  const { models: trained, trainingSeconds } = await trainCompared({
    plan,
    setting: releasedSetting,
    models,
    texts,
    jobs: { folder, engine, parallel, ...(signal === undefined ? {} : { signal }) },
    print,
  });
  const result: SwitchHeadResult = {
    schemaVersion: 1,
    size,
    plan,
    texts,
    models: trained.flatMap((model, index): ModelResult[] => {
      const counted = models[index];
      if (counted === undefined) return [];
      const { count, model: config } = counted;
      return [{ ...model, parameters: count.parameters.total, macs: count.macsPerToken.total, attention: attentionFigures(count, config) }];
    }),
    trainingSeconds,
    parallel,
  };
  await writeFile(join(folder, 'result.json'), `${JSON.stringify(result, undefined, 1)}\n`);
  await writeFile(join(folder, 'report.md'), `${report(result)}\n`);
  return result;
}
