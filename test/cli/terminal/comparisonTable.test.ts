import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { comparisonNotes, comparisonTable } from '../../../src/cli/terminal/comparisonTable';
import type { RunDescription } from '../../../src/runs/format';
import { readRunResult, variation } from '../../../src/runs/runResult';
import { sketchOf } from '../../../src/runs/sketch';
import { RunWriter, writeDescription, writeStatus } from '../../../src/runs/runWriter';
import { aDescription, aLine, aStatus, temporaryFolder } from '../../runs/fixtures';

/** A finished run of ten steps whose second expert of three was busiest at the end. */
function aRun(name: string, perplexity: number, changes: Partial<RunDescription> = {}, dropRate?: number): string {
  const directory = join(temporaryFolder(), name);
  mkdirSync(directory);
  const description = aDescription({
    name,
    totalSteps: 10,
    routedLayers: [{ name: 'layers.1', experts: 3, k: 1, unitsPerToken: 1 }],
    ...changes,
  });
  writeDescription(directory, description);
  writeStatus(directory, aStatus({ state: 'finished', step: 10, totalSteps: 10 }));
  const writer = new RunWriter(directory, description);
  for (let step = 1; step <= 10; step++) {
    const line = aLine(step, Math.log(perplexity));
    const train = { loss: 1, crossEntropy: 1, ...line.train, ...(dropRate === undefined ? {} : { dropRate: step < 10 ? 1 : dropRate }) };
    writer.metrics({ ...line, train, tokensPerSecond: step * 1000 });
    if (description.routedLayers.length > 0)
      writer.experts({ step, layer: 0, counts: step < 10 ? Float32Array.of(9, 0, 0) : Float32Array.of(1, 4, 1) });
  }
  const prose = { loss: 1, perplexity, bitsPerByte: Math.log2(perplexity), ...(dropRate === undefined ? {} : { dropRate: 0 }) };
  writer.metrics({ step: 10, time: 65, tokens: 100, validation: { prose } });
  writer.close();
  return directory;
}

describe('the result of a run', () => {
  it('is what stands at its end', async () => {
    const result = await readRunResult(aRun('SMoE', 8));
    expect(result).toMatchObject({ state: 'finished', step: 10, seconds: 65, tokensPerSecond: 5500 });
    expect(result?.trainPerplexity).toBeCloseTo(8, 10);
    expect(result?.validation).toEqual({
      prose: { perplexity: 8, bitsPerByte: 3, dropRate: null, meanK: null, expertUsage: null, unevenness: null },
    });
    expect(result?.dropRate).toBeNull();
    // Of the last tenth only: loads 1, 4, 1 have mean 2 and standard deviation sqrt(2).
    expect(result?.loadVariation).toBeCloseTo(Math.SQRT1_2, 12);
  });

  it('knows no variation where nothing is routed', async () => {
    expect((await readRunResult(aRun('Dense', 8, { routedLayers: [] })))?.loadVariation).toBeNull();
    expect(variation([0, 0])).toBeNull();
    expect(variation([3, 3, 3])).toBe(0);
    expect(await readRunResult(temporaryFolder())).toBeUndefined();
  });
});

/** A run of ten steps whose units take 1 to 3 experts, and which retrieves from 16 experts: step s uses the experts 0 to s. */
function aVaryingRun(rewindTo?: number): string {
  const directory = join(temporaryFolder(), 'varying');
  mkdirSync(directory);
  const description = aDescription({
    name: 'Varying',
    totalSteps: 10,
    macsPerToken: 1000,
    varyingK: { counted: 2, macsPerChoice: 100 },
    routedLayers: [],
    retrievals: [{ name: 'layers.0.product_keys', experts: 16, k: 4 }],
  });
  writeDescription(directory, description);
  writeStatus(directory, aStatus({ state: 'finished', step: 10, totalSteps: 10 }));
  const writer = new RunWriter(directory, description);
  const train = (step: number): void => {
    const meanK = step < 10 ? 3 : 1.25;
    const kShares = step < 10 ? [0, 0, 1] : [0.75, 0.25];
    writer.metrics({ ...aLine(step), train: { loss: 1, crossEntropy: 1, meanK, kShares, expertUsage: 0.5 } });
    writer.sketch({ step, layer: 0, ...sketchOf(Float64Array.from({ length: 16 }, (_, expert) => (expert <= step ? 1 : 0))) });
  };
  for (let step = 1; step <= 10; step++) train(step);
  if (rewindTo !== undefined) writer.rewind(rewindTo);
  writer.metrics({
    step: 10,
    time: 65,
    tokens: 100,
    validation: { prose: { loss: 1, perplexity: 4, meanK: 1.5, expertUsage: 0.625, unevenness: 0.25 } },
  });
  writer.close();
  return directory;
}

describe('a run whose units take different numbers of experts and that retrieves', () => {
  it('says the mean K, the MACs at it, and what was retrieved', async () => {
    const result = await readRunResult(aVaryingRun());
    expect(result).toMatchObject({ meanK: 1.25, kShares: [0.75, 0.25], macsAtMeanK: 925, usedEver: 11 / 16 });
    const [smoe] = [await readRunResult(aRun('SMoE', 8))];
    const results = [result, smoe].filter((each) => each !== undefined);
    const rows = Object.fromEntries(
      comparisonTable(results)
        .split('\n')
        .map((line) => line.split(/ {2,}/))
        .map(([title, ...cells]) => [title, cells]),
    );
    expect(rows).toMatchObject({
      'MACs per token': ['1,000', '20'],
      'MACs at mean K': ['925', '-'],
      'mean K train': ['1.25', '-'],
      'mean K prose': ['1.50', '-'],
      'retrieved train': ['68.75 %', '-'],
      'retrieved prose': ['62.50 %', '-'],
      'unevenness of weights prose': ['0.250', '-'],
    });
    expect(comparisonNotes(results)).toContain('moe-lab twin RUN');
  });

  it('forgets what a rewind has voided', async () => {
    expect(await readRunResult(aVaryingRun(4))).toMatchObject({ meanK: 3, usedEver: 5 / 16 });
  });
});

describe('the comparison table', () => {
  it('tells of dropped assignments where some model has a capacity', async () => {
    const results = [await readRunResult(aRun('Dropless', 8)), await readRunResult(aRun('Capacity', 4, {}, 0.0123))].filter(
      (result) => result !== undefined,
    );
    const table = comparisonTable(results).split('\n');
    expect(table.slice(-2)).toEqual(['dropped train               -    1.23 %', 'dropped prose               -    0.00 %']);
    expect(comparisonNotes(results)).toMatch(/CV: .*Dropped: /);
  });

  it('explains only rows that there are', async () => {
    const results = [await readRunResult(aRun('Dense', 8, { routedLayers: [] }))].filter((result) => result !== undefined);
    expect(comparisonTable(results)).not.toMatch(/CV|dropped/);
    expect(comparisonNotes(results)).toBe('MACs are forward, attention over the full context.');
    const routed = [await readRunResult(aRun('SMoE', 8))].filter((result) => result !== undefined);
    expect(comparisonNotes(routed)).toMatch(/CV: /);
    expect(comparisonNotes(routed)).not.toContain('Dropped');
  });

  it('has a column for each run and one for the entropy floor', async () => {
    const multiHead = { routedLayers: [{ name: 'layers.1', experts: 3, k: 1, unitsPerToken: 2 }] };
    const results = [await readRunResult(aRun('SMoE', 8)), await readRunResult(aRun('MH-MoE', 4, multiHead))].filter(
      (result) => result !== undefined,
    );
    expect(comparisonTable(results, { prose: { perplexity: 1.5, bitsPerByte: Math.log2(1.5) } })).toBe(
      [
        '                      SMoE  MH-MoE  entropy floor',
        'parameters              10      10',
        'active parameters        5     ≤ 5',
        'MACs per token          20      20',
        'steps                   10      10',
        'perplexity prose      8.00    4.00           1.50',
        'bits per byte prose  3.000   2.000          0.585',
        'perplexity train      8.00    4.00',
        'tokens per second    5,500   5,500',
        'training time         1:05    1:05',
        'expert load CV        0.71    0.71',
      ].join('\n'),
    );
  });
});
