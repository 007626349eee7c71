import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTextFromDisk } from '../../src/config/readTextFromDisk';
import { createRun, type NewRun } from '../../src/worker/createRun';
import { loadExperiment } from '../../src/worker/loadExperiment';
import { inspectData } from '../../src/worker/inspectData';

export interface TinyExperiment {
  readonly steps?: number;
  readonly learningRate?: number;
  readonly checkpointEvery?: number;
  readonly evaluateEvery?: number;
  /** In YAML. */
  readonly router?: string;
  /** Keys of `model` in place of its `moe`, in YAML. */
  readonly model?: string;
}

/** Writes a config that trains a step in a few milliseconds, with its text, and returns the config's path. */
export function writeTinyExperiment(
  folder: string,
  { steps = 6, learningRate = 1e-3, checkpointEvery = 2, evaluateEvery = 3, router = '{}', model }: TinyExperiment = {},
): string {
  mkdirSync(join(folder, 'corpus'), { recursive: true });
  const words = Array.from({ length: 400 }, (_, index) => `${(index * 7919) % 101} is followed by ${((index + 1) * 7919) % 101}.\n`);
  writeFileSync(join(folder, 'corpus', 'train.txt'), words.join(''));
  writeFileSync(join(folder, 'corpus', 'valid.txt'), words.slice(0, 10).join(''));
  const file = join(folder, 'tiny.moe.yaml');
  writeFileSync(
    file,
    `name: Tiny MH-MoE
model:
  d_model: 16
  layers: 2
  context: 16
  attention: { heads: 2 }
  ffn: { width: 16 }
  ${model ?? `moe: { kind: mh-moe, every: 2, heads: 2, experts: 4, top_k: 2, expert_width: 8, router: ${router} }`}
train: { steps: ${steps}, batch_tokens: 64, micro_batch: 2, learning_rate: ${learningRate}, warmup: 0, schedule: constant, clip: 0, seed: 3 }
data: { train: [corpus/train.txt], validation: { prose: [corpus/valid.txt] } }
evaluate: { every: ${evaluateEvery} }
checkpoint: { every: ${checkpointEvery}, keep: 2 }
engine: { device: cpu, threads: 1 }
`,
  );
  return file;
}

/** A run of that experiment that nobody trains yet. */
export async function createTinyRun(folder: string, experiment: TinyExperiment = {}): Promise<NewRun> {
  const configFile = writeTinyExperiment(folder, experiment);
  const loaded = loadExperiment({ configFile, readText: readTextFromDisk });
  return createRun(loaded, await inspectData(loaded), join(folder, 'runs'), []);
}
