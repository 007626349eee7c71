import { expect, it } from 'vitest';
import { DataError } from '../../src/data/dataError';
import { EngineError } from '../../src/engine/engine';
import { parseStatus } from '../../src/runs/recordSchemas';
import { RunStorageError } from '../../src/runs/storageError';
import { CheckpointError } from '../../src/training/checkpoint/checkpointError';
import { Diverged, failureOf, LaunchError } from '../../src/worker/runFailure';
import { aStatus } from '../runs/fixtures';

it.each([
  [new Diverged('Diverged: the loss is NaN, at learning rate 1.'), 'diverged'],
  [new RunStorageError('Cannot write /runs/memory limit: the disk is full.', 'Free space.'), 'disk'],
  [new DataError('corpus/out of memory.txt is empty.', 'Choose another.', ['data', 'train', 0]), 'data'],
  [new CheckpointError('It ends early.', 'Use an older one.'), 'checkpoint'],
  [new RangeError('Array buffer allocation failed'), 'out-of-memory'],
  [new EngineError('The runtime failed: std::bad_alloc', 'Use a smaller micro_batch or a smaller model.'), 'out-of-memory'],
  [new EngineError('The parameter "a" [4, 4] does not fit on this device: too large', 'Use fewer experts.'), 'out-of-memory'],
  [new LaunchError('The worker could not start: FATAL ERROR: JavaScript heap out of memory', 'See the log.'), 'out-of-memory'],
  [new EngineError('WebGPU finds no GPU on this machine.', 'Install a driver.'), 'device'],
  [new EngineError('The runtime failed: shape', 'This is a fault of MoE Lab: please report it with the config.'), 'defect'],
  [new LaunchError('The worker could not start: it was ended by SIGKILL', 'See the log.'), 'worker'],
  [new TypeError('x is not a function'), 'defect'],
  ['a text', 'defect'],
])('%s is called %s', (error, cause) => {
  const failure = failureOf(error, 3);
  expect(failure).toMatchObject({ step: 3, cause });
  expect(parseStatus(aStatus({ state: 'failed', failure }))?.failure).toEqual(failure);
});

it('a failure of an earlier version has no cause, one of a later version none that is known', () => {
  const failure = { message: 'No.', advice: '', step: 1 };
  expect(parseStatus(aStatus({ state: 'failed', failure }))?.failure).toEqual(failure);
  expect(parseStatus({ ...aStatus({ state: 'failed' }), failure: { ...failure, cause: 'moonlight' } })?.failure).toEqual(failure);
});
