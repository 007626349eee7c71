import { describe, expect, it } from 'vitest';
import { DataError } from '../../src/data/dataError';
import { EngineError } from '../../src/engine/engine';
import { configPathOf, errorText, isUnforeseen } from '../../src/extension/errors';
import { hasRuntime } from '../../src/extension/runtimePlatform';

describe('errors', () => {
  it('say what happened and what to do, as one text', () => {
    expect(errorText(new EngineError('There is no GPU', 'Use device: cpu.'))).toBe('There is no GPU. Use device: cpu.');
    expect(errorText(new EngineError('Out of memory. Make the batch smaller.', 'Make the batch smaller.'))).toBe(
      'Out of memory. Make the batch smaller.',
    );
  });

  it('know the place in the config, where there is one', () => {
    expect(configPathOf(new DataError('Empty.', 'Add text.', ['data', 'train', 0]))).toEqual(['data', 'train', 0]);
    expect(configPathOf(new EngineError('x', 'y'))).toBeUndefined();
    expect(configPathOf(Object.assign(new Error('x'), { configPath: [{}] }))).toBeUndefined();
  });

  it('are unforeseen when they give no advice: then the log is offered', () => {
    expect(isUnforeseen(new TypeError('x is undefined'))).toBe(true);
    expect(isUnforeseen(new EngineError('x', 'y'))).toBe(false);
  });
});

it('knows where the runtime has binaries', () => {
  expect(hasRuntime('linux', 'x64')).toBe(true);
  expect(hasRuntime('darwin', 'x64')).toBe(false);
  expect(hasRuntime('linux', 'ia32')).toBe(false);
});
