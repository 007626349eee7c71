import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { MetricsLine, RunDescription, RunStatus } from '../../src/runs/format';

/** A folder of its own, removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'moe-lab-runs-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A disk of so many KiB, unmounted after the test; undefined where this process may not mount one, with the reason printed. */
export function tinyDisk(kibibytes: number): string | undefined {
  const folder = join(temporaryFolder(), 'disk');
  mkdirSync(folder);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kibibytes}k`, 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    console.log('skipped: this process may not mount a small disk (needs root)');
    return undefined;
  }
  onTestFinished(() => void execFileSync('umount', [folder]));
  return folder;
}

export const noon = Date.parse('2026-03-01T12:00:00.000Z');

/** A resolved config as run.json has it, with fewer defaults. */
export const anExperiment = {
  model: {
    d_model: 8,
    layers: 4,
    context: 4,
    attention: { heads: 2 },
    ffn: { width: 8 },
    moe: { kind: 'smoe', experts: 4, top_k: 1, expert_width: 8 },
  },
  train: { steps: 100, batch_tokens: 64 },
  data: { train: ['a.txt'] },
};

export function aDescription(changes: Partial<RunDescription> = {}): RunDescription {
  return {
    schemaVersion: 1,
    id: '20260301-120000-smoe-abcd',
    name: 'SMoE',
    createdAt: new Date(noon).toISOString(),
    configFile: '/experiments/smoe.moe.yaml',
    configSource: 'name: SMoE\n',
    experiment: anExperiment,
    totalSteps: 100,
    git: null,
    seed: 1,
    data: [],
    engine: { device: 'cpu', threads: 0, candidates: [] },
    launch: [],
    parameters: { total: 10, active: 5 },
    macsPerToken: 20,
    varyingK: null,
    routedLayers: [
      { name: 'layers.1', experts: 3, k: 1, unitsPerToken: 1 },
      { name: 'layers.3', experts: 2, k: 1, unitsPerToken: 1 },
    ],
    retrievals: [],
    versions: { moeLab: '0', node: '20', onnxruntime: '1' },
    ...changes,
  };
}

export function aStatus(changes: Partial<RunStatus> = {}): RunStatus {
  return {
    schemaVersion: 1,
    state: 'running',
    step: 3,
    totalSteps: 100,
    failure: null,
    host: 'here',
    bootId: 'boot',
    pid: 77,
    heartbeat: new Date(noon).toISOString(),
    address: null,
    ...changes,
  };
}

export function aLine(step: number, crossEntropy = 1): MetricsLine {
  return { step, time: step / 2, tokens: step * 10, train: { loss: crossEntropy, crossEntropy }, tokensPerSecond: 20 };
}
