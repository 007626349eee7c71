import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/loadConfig';
import type { PathFinding } from '../../src/config/pathFinding';
import type { TextOverlap } from '../../src/data/textOverlap';
import { environmentFindings, type EnvironmentInput } from '../../src/language/environmentRules';
import { buildLanguageModel } from '../../src/models/languageModel';
import { trainingNeeds } from '../../src/worker/runNeeds';

const file = '/lab/a.moe.yaml';

function input(text: string, more: Partial<EnvironmentInput> = {}): EnvironmentInput {
  const loaded = loadConfig(file, (name) => (name === file ? text : undefined));
  const { experiment } = loaded;
  if (experiment === undefined) throw new Error(loaded.findings.map(({ message }) => message).join(' '));
  return { loaded, needs: trainingNeeds(experiment, buildLanguageModel(experiment)), memory: null, overlaps: undefined, ...more };
}

const findings = (text: string, more: Partial<EnvironmentInput> = {}): readonly PathFinding[] => environmentFindings(input(text, more));
const spot = (finding: PathFinding | undefined): string => finding?.spots[0]?.path.join('.') ?? '';

const config = (
  model: string,
  train: string,
  data = 'data: { train: [a.txt] }',
) => `model: { d_model: 64, layers: 2, context: 64, attention: { heads: 2 }, ffn: { width: 128 }${model} }
train: { steps: 10, ${train} }
${data}`;

describe('memory', () => {
  const experts = config(', moe: { kind: smoe, experts: 4096, top_k: 1, expert_width: 128, every: 1 }', 'batch_tokens: 64, micro_batch: 1');
  const windows = config('', 'batch_tokens: 65536, micro_batch: 1024');

  it('is enough where the machine has what training needs, and nobody asks where nothing is known', () => {
    const needed = input(experts).needs?.memory.host ?? 0;
    expect(findings(experts, { memory: { host: needed } })).toEqual([]);
    expect(findings(experts)).toEqual([]);
    // Without text it is only counted.
    expect(findings(experts.replace(/^data: .*$/m, ''), { memory: { host: 1 } })).toEqual([]);
    expect(findings(experts, { memory: { host: needed - 1 } })).toHaveLength(1);
  });

  it('is short at the experts, where most of it is state', () => {
    const [found] = findings(experts, { memory: { host: 2 ** 30 } });
    expect(found).toMatchObject({ code: 'memory', severity: 'warning', remedies: [] });
    expect(spot(found)).toBe('model.moe.experts');
    expect(found?.message).toMatch(
      /^Training needs about \d\.\d+ GiB of memory \(both moments of AdamW .*; this machine has 1\.00 GiB\. Make the model smaller/,
    );
  });

  it('is short at the microbatch, where most of it is activations, with the largest one that fits', () => {
    const needed = input(windows).needs?.memory.host ?? 0;
    const [found] = findings(windows, { memory: { host: 0.7 * needed } });
    expect(spot(found)).toBe('train.micro_batch');
    expect(found?.remedies).toEqual([
      { title: 'Set micro_batch to 512', changes: [{ kind: 'set', path: ['train', 'micro_batch'], value: 512 }] },
    ]);
    const mended = windows.replace('micro_batch: 1024', 'micro_batch: 512');
    expect(findings(mended, { memory: { host: 0.7 * needed } })).toEqual([]);
  });

  const gpu = (bytes: number, shared = false) => ({ name: shared ? 'Apple silicon' : 'NVIDIA L4', bytes, shared });
  const onGpu = (text: string): string => `${text}\nengine: { device: webgpu }\n`;

  it('is that of the GPU, where the config would be trained on one', () => {
    const { memory } = input(onGpu(experts)).needs ?? { memory: { device: 0 } };
    const [found] = findings(onGpu(experts), { memory: { host: 1e12, device: gpu(memory.device - 1) } });
    expect(found).toMatchObject({ code: 'memory', severity: 'warning', remedies: [] });
    expect(spot(found)).toBe('model.moe.experts');
    expect(found?.message).toMatch(
      /^Training needs about (\d\.\d+ GiB) of memory on the GPU \(.*\); NVIDIA L4 has \1\. Make the model smaller .* or train on a GPU with more memory; the CPU has the memory of the machine \(engine\.device\)\.$/,
    );
    expect(findings(onGpu(experts), { memory: { host: 1e12, device: gpu(memory.device) } })).toEqual([]);
    // On the CPU no GPU matters, and of one that nobody knows nothing is said.
    expect(findings(experts, { memory: { host: 1e12, device: gpu(1) } })).toEqual([]);
    expect(findings(onGpu(experts), { memory: { host: 1e12 } })).toEqual([]);
  });

  it('is that of both, where the GPU has the memory of the machine', () => {
    const { memory } = input(onGpu(experts)).needs ?? { memory: { host: 0, device: 0 } };
    const both = memory.host + memory.device;
    const [found] = findings(onGpu(experts), { memory: { host: both - 1, device: gpu(both - 1, true) } });
    expect(found?.message).toMatch(/of memory for itself and the GPU \(.*; Apple silicon has .* GiB for both\./);
    expect(findings(onGpu(experts), { memory: { host: both, device: gpu(both, true) } })).toEqual([]);
    // What a container may use of it is less.
    expect(findings(onGpu(experts), { memory: { host: both - 1, device: gpu(2 * both, true) } })).toHaveLength(1);
  });

  it.each([
    ['the GPU', 0.7, 10],
    ['the GPU, just as much as half a microbatch would need', 0.5, 10],
    ['both', 0.3, 0.9],
  ])('of %s is short at the microbatch, with a fix after which nothing is short', (_, ofDevice, ofHost) => {
    const { memory } = input(onGpu(windows)).needs ?? { memory: { host: 0, device: 0 } };
    const machine = { host: ofHost * memory.host, device: gpu(ofDevice * memory.device) };
    const [found] = findings(onGpu(windows), { memory: machine });
    expect(spot(found)).toBe(ofHost < 1 ? 'model.d_model' : 'train.micro_batch');
    for (const { changes } of found?.remedies ?? []) {
      const [change] = changes;
      if (change?.kind !== 'set') throw new Error('It sets micro_batch.');
      expect(findings(onGpu(windows.replace('micro_batch: 1024', `micro_batch: ${String(change.value)}`)), { memory: machine })).toEqual(
        [],
      );
    }
    // Of the machine's own memory next to nothing depends on the microbatch.
    expect(found?.remedies).toHaveLength(ofHost < 1 ? 0 : 1);
  });

  it('counts the sum of gradients that a second microbatch begins', () => {
    const parts = input(windows).needs?.memory.parts ?? [];
    const bytes = (name: string): number => parts.find((part) => part.name === name)?.host ?? 0;
    const halved = (input(windows).needs?.memory.host ?? 0) - (bytes('activations') + bytes('evaluation')) / 2;
    // Half a microbatch would fit but for that sum.
    const single = windows.replace('65536', String(1024 * 64));
    const [found] = findings(single, { memory: { host: halved + bytes('gradients') / 4 } });
    expect(found?.remedies?.[0]?.title).toBe('Set micro_batch to 256');
    expect(
      findings(single.replace('micro_batch: 1024', 'micro_batch: 512'), { memory: { host: halved + bytes('gradients') / 4 } }),
    ).toHaveLength(1);
  });
});

describe('validation text in the training text', () => {
  const data = (train: string, validation: string) =>
    config('', 'batch_tokens: 128, micro_batch: 2', `data: { train: [${train}], validation: { ${validation} } }\n`);
  const overlap: TextOverlap = {
    set: 'prose',
    validationFile: '/lab/v.txt',
    trainingFile: '/lab/t.txt',
    windows: 800,
    found: 40,
    sameFile: false,
  };

  it('is known from the config alone where a file is named twice, however its path is written', () => {
    const [found, ...others] = findings(data('text/a.txt, text/b.txt', 'prose: [c.txt, ./text/../text/b.txt], code: [d.txt]'));
    expect(others).toEqual([]);
    expect(found).toMatchObject({ code: 'validation-in-training', severity: 'warning' });
    expect(spot(found)).toBe('data.validation.prose.1');
    expect(found?.remedies?.[0]?.changes).toEqual([{ kind: 'remove', path: ['data', 'validation', 'prose', 1] }]);
    // Alone in its set: the set goes.
    expect(findings(data('a.txt', 'prose: [a.txt]'))[0]?.remedies?.[0]?.changes).toEqual([
      { kind: 'remove', path: ['data', 'validation', 'prose'] },
    ]);
  });

  it('is said of the same glob, and of nothing else', () => {
    expect(findings(data('text/*.txt', 'all: [text/*.txt]'))).toHaveLength(1);
    expect(findings(data('text/*.txt', 'all: [other/*.txt]'))).toEqual([]);
  });

  it('is said as it was found in the text, once for each set', () => {
    const [found, ...others] = findings(data('t.txt', 'prose: [v.txt]'), { overlaps: [overlap] });
    expect(others).toEqual([]);
    expect(spot(found)).toBe('data.validation.prose');
    expect(found?.message).toContain(
      '5 % of the validation set prose is in the training text (40 of 800 samples, most of them of v.txt in t.txt)',
    );
    expect(findings(data('v.txt', 'prose: [v.txt]'), { overlaps: [{ ...overlap, sameFile: true }] })).toHaveLength(1);
    // The set is gone since.
    expect(findings(data('t.txt', 'code: [v.txt]'), { overlaps: [overlap] })).toEqual([]);
  });
});
