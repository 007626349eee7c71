import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ExpertFrame, MetricsLine, RunDescription, RunState, RunStatus } from '../../../src/runs/format';
import { readBootId } from '../../../src/runs/liveness';
import { idleExperts } from '../../../src/runs/idleExperts';
import { sketchOf } from '../../../src/runs/sketch';
import { RunWriter, writeDescription, writeStatus } from '../../../src/runs/runWriter';

export interface RunPlan {
  readonly name?: string;
  readonly seed?: number;
  readonly totalSteps?: number;
  readonly experts?: readonly number[];
  /** Perplexity that the curve falls towards. */
  readonly floor?: number;
  readonly validationSets?: readonly string[];
  /**
   * Drops this share of the assignments at first, half of it after each hundred steps, none from step 1000 on; without a capacity where
   * absent.
   */
  readonly dropRate?: number;
  /** Experts of each layer that retrieves by product keys; none where absent. */
  readonly retrievals?: readonly number[];
  /** Attention heads with four experts each, in a routed layer of their own before the others. */
  readonly attentionHeads?: number;
  /** Units take 1 to 4 experts, more of them as the training goes on. */
  readonly varyingK?: boolean;
  /** The first routed layer sends everything to one expert. */
  readonly collapsed?: boolean;
  /** Metrics say every 20 steps how many experts are idle, as those of 0.2.0 do. */
  readonly tellsIdle?: boolean;
  /** The resolved config; none that can be counted where absent. */
  readonly experiment?: unknown;
  /** What run.json keeps of its costs; nothing where absent, as in runs of 0.1.0. */
  readonly cost?: unknown;
}

/** A run directory on disk, written by the product's own writer, whose curves and counts are drawn from a seed. */
export class WrittenRun {
  readonly directory: string;
  step = 0;
  private readonly writer: RunWriter;
  private readonly description: RunDescription;
  private readonly random: () => number;
  private readonly floor: number;
  private readonly validationSets: readonly string[];
  private readonly dropRate: number | undefined;
  private readonly varies: boolean;
  private readonly collapsed: boolean;
  private readonly tellsIdle: boolean;
  private recent: ExpertFrame[] = [];

  constructor(plan: RunPlan = {}) {
    const { name = 'SMoE', seed = 1, totalSteps = 2000, experts = [16, 16] } = plan;
    this.directory = join(mkdtempSync(join(tmpdir(), 'moe-lab-dashboard-')), `20260301-120000-run-${'abcdefgh'[seed % 8]}bcd`);
    mkdirSync(this.directory);
    this.random = generator(seed);
    this.floor = plan.floor ?? 6;
    this.validationSets = plan.validationSets ?? ['prose'];
    this.dropRate = plan.dropRate;
    this.varies = plan.varyingK ?? false;
    this.collapsed = plan.collapsed ?? false;
    this.tellsIdle = plan.tellsIdle ?? false;
    const attention = plan.attentionHeads === undefined ? [] : [{ experts: 4 * plan.attentionHeads, heads: plan.attentionHeads }];
    this.description = {
      schemaVersion: 1,
      id: this.directory.split('/').at(-1) ?? '',
      name,
      createdAt: '2026-03-01T12:00:00.000Z',
      configFile: '/experiments/smoe.moe.yaml',
      configSource: 'name: SMoE\n',
      experiment: plan.experiment ?? {},
      ...(plan.cost === undefined ? {} : { cost: plan.cost }),
      totalSteps,
      git: null,
      seed,
      data: [],
      engine: { device: 'cpu', threads: 2, candidates: [] },
      launch: [],
      parameters: { total: 3_412_224, active: 2_100_480 },
      macsPerToken: 2_359_296,
      varyingK: this.varies ? { counted: 2, macsPerChoice: 100_000 } : null,
      routedLayers: [
        ...attention.map((layer) => ({ name: 'layers.0.attention.source', k: 2, unitsPerToken: layer.heads, ...layer })),
        ...experts.map((count, index) => ({
          name: `layers.${2 * index + 1}.moe`,
          experts: count,
          k: this.varies ? 4 : 2,
          unitsPerToken: 1,
        })),
      ],
      retrievals: (plan.retrievals ?? []).map((count, index) => ({ name: `layers.${index}.product_keys`, experts: count, k: 32 })),
      versions: { moeLab: '0.1.0', node: '20', onnxruntime: '1.30.0' },
    };
    writeDescription(this.directory, this.description);
    this.writer = new RunWriter(this.directory, this.description);
    this.status('running');
  }

  /** Writes `steps` more steps; validates every `validateEvery`. */
  train(steps: number, validateEvery = 50): void {
    for (const end = this.step + steps; this.step < end;) {
      this.step++;
      const line = this.line(this.step, validateEvery);
      for (const [layer, { experts }] of this.description.routedLayers.entries()) {
        const frame = { step: this.step, layer, counts: this.counts(layer, experts) };
        this.writer.experts(frame);
        this.recent = [...this.recent.filter(({ step }) => step > this.step - 20), frame];
      }
      this.writer.metrics(this.tellsIdle && this.step % 20 === 0 ? this.withIdle(line) : line);
      for (const [layer, { experts }] of this.description.retrievals.entries()) {
        this.writer.sketch({ step: this.step, layer, ...sketchOf(this.retrieved(experts)) });
      }
    }
    this.status('running');
  }

  rewind(step: number): void {
    this.writer.rewind(step);
    this.step = step;
  }

  status(state: RunState, failure: RunStatus['failure'] = null): void {
    writeStatus(this.directory, {
      schemaVersion: 1,
      state,
      step: this.step,
      totalSteps: this.description.totalSteps,
      failure,
      host: hostname(),
      bootId: readBootId(Date.now()),
      pid: process.pid,
      heartbeat: new Date().toISOString(),
      address: null,
    });
  }

  /** Ends writing and removes the directory. */
  close(): void {
    this.writer.close();
    rmSync(dirname(this.directory), { recursive: true, force: true });
  }

  private line(step: number, validateEvery: number): MetricsLine {
    const nats = Math.log(this.floor) + (Math.log(256) - Math.log(this.floor)) * Math.exp(-step / 120);
    const noisy = nats + 0.12 * (this.random() - 0.5);
    return {
      step,
      time: step * 0.08,
      tokens: step * 768,
      train: {
        loss: noisy + 0.02,
        crossEntropy: noisy,
        balance: 1.02,
        ...(this.dropRate === undefined ? {} : { dropRate: step < 1000 ? this.dropRate * 2 ** (-step / 100) : 0 }),
        ...(this.varies ? this.choices(step) : {}),
        ...(this.description.retrievals.length === 0 ? {} : { expertUsage: 0.2 + 0.3 * (1 - Math.exp(-step / 100)) }),
      },
      ...(step % validateEvery === 0 ? { validation: this.validate(nats) } : {}),
      learningRate: 1e-3,
      gradientNorm: 0.8,
      tokensPerSecond: 9600 + 400 * this.random(),
    };
  }

  private withIdle(line: MetricsLine): MetricsLine {
    const idle = idleExperts(this.description.routedLayers, this.recent, 20);
    return line.train === undefined || idle === undefined ? line : { ...line, train: { ...line.train, idleExperts: idle } };
  }

  private validate(nats: number): NonNullable<MetricsLine['validation']> {
    return Object.fromEntries(
      this.validationSets.map((name, index) => {
        const loss = nats + 0.05 + 0.15 * index + 0.01 * this.random();
        return [name, { loss, perplexity: Math.exp(loss), bitsPerByte: loss / Math.LN2, ...this.validated(index) }];
      }),
    );
  }

  private validated(set: number): object {
    return {
      ...(this.varies ? { meanK: this.choices(this.step).meanK + 0.1 * set } : {}),
      ...(this.description.retrievals.length === 0
        ? {}
        : { expertUsage: 0.9 + 0.01 * set, unevenness: 1.5 * Math.exp(-this.step / 200) + 0.2 }),
    };
  }

  private choices(step: number): { readonly meanK: number; readonly kShares: readonly number[] } {
    const more = 0.5 * (1 - Math.exp(-step / 150));
    const kShares = [0.6 - more, 0.3, 0.1 + 0.6 * more, 0.4 * more];
    return { kShares, meanK: kShares.reduce((sum, share, index) => sum + share * (index + 1), 0) };
  }

  /** Some experts far more than others, and those of the last quarter only from step 200 on. */
  private retrieved(experts: number): Float64Array {
    return Float64Array.from({ length: experts }, (_, expert) => {
      if (expert >= 0.75 * experts && this.step < 200) return 0;
      const preference = 2 ** (3 * Math.sin((expert / experts) * 9 + this.step / 150));
      return Math.floor(preference * this.random() * 1.6) * (expert === 7 ? 40 : 1);
    });
  }

  /** Uneven, with one expert of the first layer that is never used. */
  private counts(layer: number, experts: number): Float32Array {
    return Float32Array.from({ length: experts }, (_, expert) => {
      if (layer === 0 && this.collapsed) return expert === 2 ? 1536 : 0;
      if (layer === 0 && expert === 3) return 0;
      const preference = 2 ** (2.2 * Math.sin(expert * 1.7 + layer * 2.1 + this.step / 400));
      return Math.round((1536 / experts) * preference * (0.8 + 0.4 * this.random()));
    });
  }
}

/** Uniform in [0, 1): mulberry32. */
export function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
