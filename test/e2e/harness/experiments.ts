import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Options of a config small enough that a step takes milliseconds. */
export interface TinyExperiment {
  readonly name?: string;
  readonly steps?: number;
  readonly learningRate?: string;
  readonly clip?: number;
  readonly device?: 'cpu' | 'webgpu';
  readonly train?: string;
  readonly every?: number;
  readonly checkpointEvery?: number;
  readonly parity?: string;
  /** The line of the model's attention, in place of plain heads. */
  readonly attention?: string;
  /** The line of what stands in place of dense feed-forward networks. */
  readonly mechanism?: string;
}

/** A routed model of 2 layers, d_model 32, context 32: one thread, so that several can train beside the editor. */
export function tinyConfig(options: TinyExperiment = {}): string {
  const lines = [
    `name: ${options.name ?? 'Tiny'}`,
    ...(options.parity ? [`parity: ${options.parity}`] : []),
    'model:',
    '  vocabulary: 256',
    '  d_model: 32',
    '  layers: 2',
    '  context: 32',
    `  ${options.attention ?? 'attention: { heads: 2, position: rope }'}`,
    '  ffn: { width: 64, activation: swiglu }',
    `  ${options.mechanism ?? 'moe: { kind: smoe, every: 2, experts: 4, top_k: 1, expert_width: 64, router: { balance_weight: 0.01 } }'}`,
    'train:',
    `  steps: ${options.steps ?? 300}`,
    '  batch_tokens: 256',
    '  micro_batch: 8',
    `  learning_rate: ${options.learningRate ?? '3.0e-3'}`,
    '  warmup: 10',
    `  clip: ${options.clip ?? 1}`,
    '  seed: 1',
    'data:',
    `  train: [${options.train ?? 'corpus/train.txt'}]`,
    '  validation: { prose: [corpus/validation.txt] }',
    `evaluate: { every: ${options.every ?? 50} }`,
    `checkpoint: { every: ${options.checkpointEvery ?? 200}, keep: 2 }`,
    `engine: { device: ${options.device ?? 'cpu'}, threads: 1 }`,
  ];
  return `${lines.join('\n')}\n`;
}

export function writeFileIn(workspace: string, path: string, text: string | Buffer): string {
  const file = join(workspace, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
  return file;
}

/** Sentences from a few words: enough to learn something from, and quick to score. */
export function writeTinyCorpus(workspace: string): void {
  const words = ['the', 'router', 'sends', 'each', 'token', 'to', 'one', 'expert', 'and', 'every', 'expert', 'learns', 'its', 'part'];
  let state = 12345;
  const next = (bound: number): number => {
    // A linear congruential generator (Numerical Recipes): the same corpus in every run.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  const sentence = (): string => `${Array.from({ length: 4 + next(8) }, () => words[next(words.length)] ?? '').join(' ')}.\n`;
  const text = (sentences: number): string => Array.from({ length: sentences }, sentence).join('');
  writeFileIn(workspace, 'corpus/train.txt', text(2000));
  writeFileIn(workspace, 'corpus/validation.txt', text(40));
}
