import { describe, expect, it } from 'vitest';
import { createEngine } from '../../src/engine/onnx/createEngine';
import { measureTraining, type MeasuredTraining } from '../../src/training/measure';
import { rememberingExperiment, tinyExperiment } from './tinyExperiment';

/** A clock on which every look at it is a second later. */
function ticking(): () => number {
  let seconds = 0;
  return () => seconds++;
}

describe('how fast a model trains', () => {
  it('is measured over real steps, the first one apart', async () => {
    const seen: MeasuredTraining[] = [];
    const experiment = tinyExperiment();
    const engine = createEngine('cpu');
    const measured = await measureTraining({ experiment, engine, seconds: 3, now: ticking(), onStep: (step) => void seen.push(step) });
    // A step takes from one look at the clock to the next.
    expect(measured).toEqual({ steps: 3, tokens: 3 * 256, seconds: 3, tokensPerSecond: 256 });
    expect(seen.map(({ steps }) => steps)).toEqual([1, 2, 3]);
  });

  it('takes one step however short the time', async () => {
    const measured = await measureTraining({ experiment: tinyExperiment(), engine: createEngine('cpu'), seconds: 0.5, now: ticking() });
    expect(measured.steps).toBe(1);
  });

  it('can be done with models that remember the text before a window', async () => {
    const measured = await measureTraining({
      experiment: rememberingExperiment(),
      engine: createEngine('cpu'),
      seconds: 2,
      now: ticking(),
    });
    expect(measured.steps).toBe(2);
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const measuring = measureTraining({
      experiment: tinyExperiment(),
      engine: createEngine('cpu'),
      seconds: 1e9,
      signal: stop.signal,
      onStep: () => stop.abort(new Error('Enough.')),
    });
    await expect(measuring).rejects.toThrow('Enough.');
  });
});
