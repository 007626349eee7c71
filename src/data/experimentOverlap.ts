import { stat } from 'node:fs/promises';
import type { DataConfig } from '../config/schema';
import { DataError } from './dataError';
import { resolveFiles } from './resolveFiles';
import { textOverlap, type TextOverlap } from './textOverlap';

/** The text of an experiment, and the folder of its config, to which its files are relative. */
export interface ExperimentText {
  readonly data: Pick<DataConfig, 'train' | 'validation'>;
  /** Absolute. */
  readonly folder: string;
}

/** The files that an experiment names, as they are on the disk. */
export interface ExperimentFiles {
  readonly training: readonly string[];
  readonly validation: Readonly<Record<string, readonly string[]>>;
  /** Changes with every file's path, size and time of change: what was found holds for as long as it does not. */
  readonly stamp: string;
}

/** What cannot be resolved has no files here: preparing a run says so. */
export async function experimentFiles({ data, folder }: ExperimentText): Promise<ExperimentFiles> {
  const training = await resolved(data.train, folder);
  const validation: Record<string, readonly string[]> = {};
  for (const [set, patterns] of Object.entries(data.validation)) validation[set] = await resolved(patterns, folder);
  const stamps = await Promise.all([...new Set([...training, ...Object.values(validation).flat()])].map(stampOf));
  return { training, validation, stamp: JSON.stringify([training, validation, stamps]) };
}

/** Which of an experiment's validation sets are in its training text; see `textOverlap`. */
export async function experimentOverlap(text: ExperimentText, signal?: AbortSignal): Promise<readonly TextOverlap[]> {
  const { training, validation } = await experimentFiles(text);
  return textOverlap({ training, validation, ...(signal === undefined ? {} : { signal }) });
}

async function resolved(patterns: readonly string[], folder: string): Promise<readonly string[]> {
  const files: string[] = [];
  for (const pattern of patterns) {
    try {
      files.push(...(await resolveFiles([pattern], folder, [])));
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
    }
  }
  return [...new Set(files)];
}

async function stampOf(file: string): Promise<string> {
  const found = await stat(file).catch(() => undefined);
  return found === undefined ? '' : `${found.size}:${found.mtimeMs}`;
}
