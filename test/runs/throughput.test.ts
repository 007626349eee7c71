import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { experimentSchema, type Experiment, type ExperimentInput } from '../../src/config/schema';
import { addMeasurement, machineFile, readMachineFile } from '../../src/runs/machineFile';
import { Measurements } from '../../src/runs/measurements';
import { RunIndex } from '../../src/runs/runIndex';
import { estimate, trainedAs, type Measurement } from '../../src/runs/throughput';
import { RunWriter, writeDescription, writeStatus } from '../../src/runs/runWriter';
import { aDescription, aLine, anExperiment, aStatus, temporaryFolder } from './fixtures';

function experiment(changes: Partial<ExperimentInput> = {}): Experiment & { readonly train: NonNullable<Experiment['train']> } {
  const parsed = experimentSchema.parse({ ...anExperiment, ...changes });
  if (parsed.train === undefined) throw new Error('It trains.');
  return { ...parsed, train: parsed.train };
}

const count = (total: number) => ({ macsPerToken: { total } });

function measurement(changes: Partial<Measurement> = {}): Measurement {
  return {
    trained: trainedAs(experiment()),
    host: 'here',
    device: 'cpu',
    tokensPerSecond: 100,
    macsPerToken: 1000,
    measuredAt: '2026-03-01T12:00:00.000Z',
    ...changes,
  };
}

describe('how long a run takes', () => {
  it('is known where the very same training was measured, by the newest', () => {
    const older = measurement({ tokensPerSecond: 50, measuredAt: '2026-02-01T12:00:00.000Z' });
    expect(estimate(experiment(), count(1000), [older, measurement(), older])).toEqual({
      tokensPerSecond: 100,
      tokens: 6400,
      secondsToFinish: 64,
      basis: 'this config',
    });
  });

  it('does not depend on steps, learning rate, seed or text', () => {
    const other = experiment({ train: { steps: 10, batch_tokens: 64, learning_rate: 1, seed: 9 }, data: { train: ['b.txt'] } });
    expect(estimate(other, count(1000), [measurement()])).toMatchObject({ secondsToFinish: 6.4, basis: 'this config' });
    const model = { ...anExperiment.model, d_model: 16 } as const;
    expect(trainedAs(experiment({ model } as Partial<ExperimentInput>))).not.toBe(trainedAs(experiment()));
    expect(trainedAs(experiment({ train: { steps: 100, batch_tokens: 128 } }))).not.toBe(trainedAs(experiment()));
  });

  it('follows from the MACs of the model whose cost is the nearest, where others were measured', () => {
    const others = [
      measurement({ trained: 'small', macsPerToken: 10, tokensPerSecond: 200 }),
      measurement({ trained: 'near', macsPerToken: 500, tokensPerSecond: 100 }),
      measurement({ trained: 'large', macsPerToken: 9000, tokensPerSecond: 20 }),
    ];
    expect(estimate(experiment(), count(1000), others)).toEqual({
      tokensPerSecond: 50,
      tokens: 6400,
      secondsToFinish: 128,
      basis: 'similar models',
    });
  });

  it('is not known without training, nor of another device', () => {
    const { train: _, ...counted } = experiment();
    expect(estimate(counted, count(1000), [measurement()])).toBeUndefined();
    expect(estimate(experiment(), count(1000), [])).toBeUndefined();
    expect(estimate(experiment({ engine: { device: 'webgpu' } }), count(1000), [measurement()])).toBeUndefined();
  });
});

describe('machine.json', () => {
  it('keeps what was measured in a runs folder that need not be there, the newest of the same training', () => {
    const runs = join(temporaryFolder(), '.moe-lab', 'runs');
    expect(readMachineFile(runs)).toEqual([]);
    addMeasurement(runs, measurement());
    addMeasurement(runs, measurement({ device: 'webgpu' }));
    addMeasurement(runs, measurement({ tokensPerSecond: 300 }));
    expect(readMachineFile(runs).map(({ device, tokensPerSecond }) => [device, tokensPerSecond])).toEqual([
      ['cpu', 300],
      ['webgpu', 100],
    ]);
    expect(JSON.parse(readFileSync(machineFile(runs), 'utf8'))).toMatchObject({ schemaVersion: 1 });
    // Like every runs folder.
    expect(existsSync(join(runs, '.gitignore'))).toBe(true);
  });

  it.each(['', '{', '{"schemaVersion":2,"measurements":[]}', '{"schemaVersion":1,"measurements":[{"trained":1}]}'])(
    'is as good as none where it says %j, and is written anew',
    (text) => {
      const runs = temporaryFolder();
      writeFileSync(machineFile(runs), text);
      expect(readMachineFile(runs)).toEqual([]);
      addMeasurement(runs, measurement());
      expect(readMachineFile(runs)).toHaveLength(1);
    },
  );
});

describe('what runs say of this machine', () => {
  function run(runs: string, id: string, host: string, steps: number): void {
    const directory = join(runs, id);
    mkdirSync(directory, { recursive: true });
    const description = aDescription({ id });
    writeDescription(directory, description);
    const writer = new RunWriter(directory, description);
    for (let step = 1; step <= steps; step++) writer.metrics(aLine(step));
    writer.close();
    writeStatus(directory, aStatus({ state: 'finished', host, step: steps }));
  }

  it('is how fast those of this host were, beside what was measured here', async () => {
    const runs = temporaryFolder();
    run(runs, '20260301-120000-smoe-aaaa', 'here', 8);
    run(runs, '20260301-120000-smoe-bbbb', 'elsewhere', 8);
    run(runs, '20260301-120000-smoe-cccc', 'here', 2);
    addMeasurement(runs, measurement({ trained: 'other' }));
    addMeasurement(runs, measurement({ trained: 'other', host: 'elsewhere' }));
    const measurements = await new Measurements('here').read(runs, await new RunIndex(runs).refresh());
    expect(measurements.map(({ trained, tokensPerSecond, macsPerToken }) => [trained, tokensPerSecond, macsPerToken])).toEqual([
      ['other', 100, 1000],
      [trainedAs(experiment()), 20, 20],
    ]);
    expect(estimate(experiment(), count(20), measurements)).toMatchObject({ tokensPerSecond: 20, basis: 'this config' });
  });
});
