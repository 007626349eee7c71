import { afterAll, describe, it, vi } from 'vitest';
import { findGpu, gpuRunner } from '../engine/support/gpu';
import { expectMechanism, expectTraining } from './deviceExpectations';
import { mechanismCases, modelCases } from './goldenFiles';

// Compiling shaders for a software GPU takes long, and longer on a busy machine.
vi.setConfig({ testTimeout: 900_000 });

const gpu = await findGpu();
if ('reason' in gpu) {
  process.stderr.write(`Golden vectors on WebGPU skipped: ${gpu.reason}\n`);
  describe.skip(`golden vectors, ONNX on WebGPU (${gpu.reason})`, () => {
    it('needs an adapter');
  });
} else {
  const runner = await gpuRunner(gpu.environment);
  afterAll(() => runner.end());

  describe('golden mechanisms, ONNX on WebGPU', () => {
    it.each(mechanismCases)('$name', (golden) => expectMechanism(runner, golden));
  });

  describe('golden language models, ONNX on WebGPU: optimiser steps and evaluation', () => {
    it.each(modelCases)('$name', (golden) => expectTraining(runner, golden));
  });
}
