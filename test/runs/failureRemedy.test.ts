import { describe, expect, it } from 'vitest';
import { experimentSchema, type Experiment, type ExperimentInput } from '../../src/config/schema';
import { failureRemedy } from '../../src/runs/failureRemedy';
import type { FailureCause, RunFailure } from '../../src/runs/format';

type Changes = {
  readonly train?: object;
  readonly router?: object;
  readonly engine?: ExperimentInput['engine'];
  readonly keep?: number;
  readonly moe?: object;
};

function experiment({ train = {}, router = {}, engine = {}, keep = 2, moe = {} }: Changes = {}): Experiment {
  return experimentSchema.parse({
    model: {
      d_model: 16,
      layers: 2,
      context: 16,
      attention: { heads: 2 },
      ffn: { width: 16 },
      moe: { kind: 'smoe', every: 1, experts: 8, top_k: 2, expert_width: 8, router, ...moe },
    },
    train: { steps: 100, batch_tokens: 1536, micro_batch: 6, clip: 1, learning_rate: 1e-3, ...train },
    data: { train: ['a.txt'] },
    checkpoint: { keep },
    engine,
  });
}

const failed = (cause: FailureCause, message = 'It went wrong.'): { failure: RunFailure; alarms: [] } => ({
  failure: { message, advice: '', step: 7, cause },
  alarms: [],
});

describe('what governs a failure', () => {
  it.each<[string, Experiment, FailureCause, string, object | undefined]>([
    [
      'divergence: clipping, where there is none',
      experiment({ train: { clip: 0 } }),
      'diverged',
      '',
      { path: ['train', 'clip'], from: 0, to: 1 },
    ],
    [
      'divergence: else the learning rate',
      experiment(),
      'diverged',
      '',
      { path: ['train', 'learning_rate'], from: 1e-3, to: 3e-4, alongside: [] },
    ],
    [
      'divergence: with the least rate never above the peak',
      experiment({ train: { learning_rate: 2e-4, min_learning_rate: 1e-4 } }),
      'diverged',
      '',
      { path: ['train', 'learning_rate'], to: 7e-5, alongside: [{ path: ['train', 'min_learning_rate'], to: 7e-5 }] },
    ],
    ['memory: fewer windows at once', experiment(), 'out-of-memory', '', { path: ['train', 'micro_batch'], from: 6, to: 3 }],
    ['memory: with one window nothing is left', experiment({ train: { micro_batch: 1 } }), 'out-of-memory', '', undefined],
    [
      'memory: a parameter that no buffer of the device holds',
      experiment({ engine: { device: 'webgpu' } }),
      'out-of-memory',
      'The parameter "x" [4] does not fit on this device: too large',
      { path: ['engine', 'device'], from: 'webgpu', to: 'cpu' },
    ],
    [
      'a full disk: fewer checkpoints',
      experiment({ keep: 3 }),
      'disk',
      'Cannot write a: the disk is full.',
      { path: ['checkpoint', 'keep'], to: 1 },
    ],
    ['a full disk with one checkpoint', experiment({ keep: 1 }), 'disk', 'Cannot write a: the disk is full.', undefined],
    ['a disk that is not full', experiment(), 'disk', 'Cannot write a: permission was denied.', undefined],
    ['a device', experiment({ engine: { device: 'webgpu' } }), 'device', '', { path: ['engine', 'device'], to: 'cpu' }],
    ['a device that is the CPU', experiment(), 'device', '', undefined],
    ['text', experiment(), 'data', '', undefined],
    ['a checkpoint', experiment(), 'checkpoint', '', undefined],
    ['a worker', experiment(), 'worker', '', undefined],
    ['a defect', experiment(), 'defect', '', undefined],
  ])('%s', (_, config, cause, message, remedy) => {
    const found = failureRemedy(config, failed(cause, message));
    if (remedy === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(remedy);
  });

  it('is not known of a run of before causes were kept, nor of one without trouble', () => {
    expect(failureRemedy(experiment(), { failure: { message: 'Diverged: ...', advice: '', step: 1 }, alarms: [] })).toBeUndefined();
    expect(failureRemedy(experiment(), { failure: null, alarms: [] })).toBeUndefined();
  });
});

describe('what governs an alarm', () => {
  const alarm = (name: 'drop-rate' | 'gradient-norm' | 'collapsed-experts', figure = 0.5) => ({
    failure: null,
    alarms: [{ name, message: 'An alarm.', figure }],
  });

  it.each<[string, Experiment, Parameters<typeof alarm>[0], object | undefined]>([
    [
      'drops: more capacity',
      experiment({ router: { capacity_factor: 1 } }),
      'drop-rate',
      { path: ['model', 'moe', 'router', 'capacity_factor'], to: 2 },
    ],
    [
      'drops: balancing, where there is none',
      experiment({ router: { capacity_factor: 1, balance: 'none' } }),
      'drop-rate',
      { path: ['model', 'moe', 'router', 'balance'] },
    ],
    ['gradient norm', experiment({ train: { clip: 0 } }), 'gradient-norm', { path: ['train', 'clip'] }],
    [
      'collapse without balancing',
      experiment({ router: { balance: 'none', balance_weight: 0 } }),
      'collapsed-experts',
      {
        path: ['model', 'moe', 'router', 'balance'],
        to: 'gshard_first',
        alongside: [{ path: ['model', 'moe', 'router', 'balance_weight'], to: 0.01 }],
      },
    ],
    [
      'collapse: ten times the weight',
      experiment(),
      'collapsed-experts',
      { path: ['model', 'moe', 'router', 'balance_weight'], from: 0.01, to: 0.1 },
    ],
    ['collapse: not beyond what training bears', experiment({ router: { balance_weight: 0.5 } }), 'collapsed-experts', undefined],
    [
      'collapse of loss-free balancing',
      experiment({ router: { select: 'top_k_biased', balance: 'loss_free' } }),
      'collapsed-experts',
      { path: ['model', 'moe', 'router', 'bias_rate'], from: 0.001, to: 0.01 },
    ],
    ['collapse of a frozen router', experiment({ router: { frozen: true, balance: 'none' } }), 'collapsed-experts', undefined],
  ])('%s', (_, config, name, remedy) => {
    const found = failureRemedy(config, alarm(name));
    if (remedy === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject({ reason: 'An alarm.', ...remedy });
  });
});
