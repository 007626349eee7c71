import { basename } from 'node:path';
import type { Experiment } from './schema';

/** What an experiment is called where it is listed: its name, or its file's without `.moe.yaml`. */
export function experimentName(file: string, experiment: Pick<Experiment, 'name'> | undefined): string {
  return experiment?.name ?? basename(file).replace(/(\.moe)?\.ya?ml$/i, '');
}
