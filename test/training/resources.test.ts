import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { modelSchema, type RunnableExperiment } from '../../src/config/schema';
import { createEngine } from '../../src/engine/onnx/createEngine';
import { elementCount } from '../../src/graph/dimensions';
import { buildLanguageModel } from '../../src/models/languageModel';
import { checkpointBytes, writeCheckpoint } from '../../src/training/checkpoint/checkpoint';
import { sessionOptions } from '../../src/training/prepare';
import { checkpointDisk, memoryNeeded, type MemoryPart } from '../../src/training/resources';
import { richlyRoutedExperiment, tinyExperiment } from './tinyExperiment';

/** Windows of 32 tokens, 4 at a time, 8 a step. */
const withModel = (model: Record<string, unknown>): RunnableExperiment => ({
  ...tinyExperiment(),
  model: modelSchema.parse({ d_model: 24, layers: 2, context: 32, attention: { heads: 2 }, ffn: { width: 48 }, ...model }),
});
const peer = (experts: number) => withModel({ product_keys: { experts, heads: 2, top_k: 3, key_width: 8 } });
const lanes = () => withModel({ attention: { heads: 2, position: 'xl' } });

const parametersOf = (experiment: RunnableExperiment, gradient: 'dense' | 'rows') =>
  buildLanguageModel(experiment)
    .parameters.filter((parameter) => parameter.gradient === gradient)
    .reduce((total, { shape }) => total + elementCount(shape), 0);
const needs = (experiment: RunnableExperiment, device: 'cpu' | 'webgpu' = 'cpu', text = 1000) =>
  memoryNeeded(experiment, buildLanguageModel(experiment), device, text);
const part = (experiment: RunnableExperiment, name: MemoryPart['name'], device: 'cpu' | 'webgpu' = 'cpu') => {
  const found = needs(experiment, device).parts.find((candidate) => candidate.name === name);
  return [found?.host, found?.device];
};

describe('disk', () => {
  it.each([
    ['a model of parameters alone', tinyExperiment()],
    ['a model with buffers', richlyRoutedExperiment()],
    ['a model with lanes', lanes()],
    ['a model with a table', peer(16)],
  ])('of a checkpoint is at least what it takes, and hardly more: %s', async (_, experiment) => {
    const program = buildLanguageModel(experiment);
    const sizes = sessionOptions(experiment);
    const directory = await mkdtemp(join(tmpdir(), 'moe-disk-'));
    const session = await createEngine('cpu').compile(program, sizes);
    try {
      const state = { schemaVersion: 1, step: 7, seconds: 1.5, tokens: 100, dataPosition: 56 } as const;
      const path = await writeCheckpoint({ directory, program, sizes, state, tensors: session.exportState(), keep: 1 });
      const written = await Promise.all(['state.safetensors', 'trainer.json'].map(async (name) => (await stat(join(path, name))).size));
      const bytes = checkpointBytes(program, sizes);
      const total = written.reduce((sum, size) => sum + size, 0);
      expect(bytes).toBeGreaterThanOrEqual(total);
      expect(bytes - total).toBeLessThan(120);
      const disk = (every: number, keep: number) =>
        checkpointDisk({ ...experiment, train: { ...experiment.train, steps: 20 }, checkpoint: { every, keep } }, program) / bytes;
      expect(disk(1, 3)).toBe(4);
      // Of twenty steps there are three checkpoints, whatever should be kept.
      expect(disk(8, 1_000_000_000)).toBe(4);
      expect(disk(500, 1000)).toBe(2);
    } finally {
      await session.dispose();
      await rm(directory, { recursive: true });
    }
  });
});

describe('memory', () => {
  it('has a part for everything, which add up', () => {
    const { parts, host, device } = needs(tinyExperiment());
    expect(parts.map(({ name }) => name)).toEqual([
      ...[
        'runtime',
        'parameters',
        'moments',
        'rowState',
        'buffers',
        'gradients',
        'update',
        'activations',
        'evaluation',
        'checkpoint',
        'text',
      ],
    ]);
    expect(host).toBe(parts.reduce((sum, { host: own }) => sum + own, 0));
    expect(device).toBe(0);
    expect(parts.every(({ host: own }) => own >= 0)).toBe(true);
    expect(needs(tinyExperiment(), 'cpu', 5000).host - host).toBe(4000);
  });

  it('of the state follows from the shapes, on the device where there is one', () => {
    const experiment = tinyExperiment();
    const bytes = 4 * parametersOf(experiment, 'dense');
    expect(part(experiment, 'parameters')).toEqual([bytes, 0]);
    expect(part(experiment, 'moments')).toEqual([2 * bytes, 0]);
    expect(part(experiment, 'parameters', 'webgpu')).toEqual([0, bytes]);
    expect(part(experiment, 'moments', 'webgpu')).toEqual([0, 2 * bytes]);
  });

  it('of tables stays on the host but for the copies that are read, and their gradients do not grow with them', () => {
    const [small, large] = [peer(16), peer(1024)];
    // Two tables, and a row for each of them besides.
    expect(part(large, 'rowState')).toEqual([4 * 3 * 2 * 1025, 0]);
    const [dense, table] = [4 * parametersOf(large, 'dense'), 4 * parametersOf(large, 'rows')];
    expect(table).toBe(4 * 2 * 1024 * 24);
    expect(part(large, 'parameters')).toEqual([dense + table, 0]);
    expect(part(large, 'parameters', 'webgpu')).toEqual([table, dense + 2 * table]);
    // The gradient of the sub-keys, which are dense, is all that grows.
    const subKeys = 4 * (parametersOf(large, 'dense') - parametersOf(small, 'dense'));
    expect((part(large, 'gradients')[0] ?? 0) - (part(small, 'gradients')[0] ?? 0)).toBe(3 * subKeys);
    // Both tables are read for 128 tokens of two heads with three choices: row numbers, coefficients and vectors, of two microbatches,
    // unsorted and sorted.
    expect(part(large, 'gradients', 'webgpu')[0]).toBe(2 * 4 * 128 * (2 * 6 + 24) * 2 * 2);
  });

  it('of lanes is that of all their windows, before a step and after it', () => {
    // 2 layers of 8 windows of 32 tokens of 24 numbers.
    expect(part(lanes(), 'buffers')).toEqual([2 * 4 * (2 * 8 * 32 * 24), 0]);
  });

  it('grows with the microbatch where the backward pass needs what the forward pass made, with the square of the context in attention', () => {
    const activations = (changes: Record<string, unknown>) => part({ ...tinyExperiment(changes) }, 'activations')[0] ?? 0;
    const [four, eight] = [activations({ micro_batch: 4 }), activations({ micro_batch: 8 })];
    expect(eight / four).toBeGreaterThan(1.9);
    expect(eight / four).toBeLessThanOrEqual(2);
    const long = (context: number) => {
      const experiment = withModel({ context, layers: 1 });
      return part({ ...experiment, train: { ...experiment.train, batch_tokens: 4 * context } }, 'activations')[0] ?? 0;
    };
    expect(long(256) / long(64)).toBeGreaterThan(5);
  });
});
