import type { JsonNumber, MetricsLine } from '../../runs/format';
import { fromJsonNumber } from '../../runs/jsonNumber';
import type { CurveName, Quantity, RunSummary } from '../panels/dashboard-protocol';
import { MovingAverage } from './movingAverage';
import { MinMaxPyramid } from './pyramid';

type Figures = Pick<RunSummary, 'seconds' | 'tokens' | 'tokensPerSecond' | 'trainPerplexity' | 'validation'> & {
  readonly step: number;
  /** Of the newest step. */
  readonly choices: { readonly meanK: number; readonly shares: readonly number[] } | null;
};

/** The curves of one run, filled line by line, and the figures last logged. */
export class RunSeries {
  readonly curves = new Map<CurveName, MinMaxPyramid>();
  private readonly average = new MovingAverage();
  private step = 0;
  private seconds = 0;
  private tokens = 0;
  private tokensPerSecond: number | null = null;
  private trainPerplexity: number | null = null;
  private choices: Figures['choices'] = null;
  private readonly validation = new Map<string, RunSummary['validation'][number]>();

  add(line: MetricsLine): void {
    this.step = line.step;
    this.seconds = line.time;
    this.tokens = line.tokens;
    if (line.tokensPerSecond !== undefined) this.tokensPerSecond = line.tokensPerSecond;
    const at = { step: line.step, seconds: line.time, tokens: line.tokens };
    if (line.train !== undefined) {
      const nats = fromJsonNumber(line.train.crossEntropy);
      this.trainPerplexity = finiteOrNull(Math.exp(nats));
      if (line.train.meanK !== undefined) this.choices = { meanK: fromJsonNumber(line.train.meanK), shares: line.train.kShares ?? [] };
      this.curve('train').append({ ...at, value: Math.exp(nats) });
      // Averaged in nats: the perplexity of the mean loss, which one bad batch does not dominate.
      if (Number.isFinite(nats)) this.curve('trainSmoothed').append({ ...at, value: Math.exp(this.average.add(nats)) });
    }
    const others = {
      learningRate: line.learningRate,
      gradientNorm: line.gradientNorm,
      balance: line.train?.balance,
      zLoss: line.train?.zLoss,
      dropRate: line.train?.dropRate,
      meanK: line.train?.meanK,
      expertUsage: line.train?.expertUsage,
      idleExperts: line.train?.idleExperts && line.train.idleExperts.idle / line.train.idleExperts.experts,
      // Of single steps it would say how few choices they make: it is that of validation sets.
      unevenness: undefined,
      tokensPerSecond: line.tokensPerSecond,
    } satisfies Record<Exclude<Quantity, 'perplexity'>, JsonNumber | undefined>;
    for (const [name, value] of Object.entries(others)) {
      if (value !== undefined) this.curve(name).append({ ...at, value: fromJsonNumber(value) });
    }
    for (const [name, set] of Object.entries(line.validation ?? {})) {
      const perplexity = fromJsonNumber(set.perplexity);
      this.curve(`validation.${name}`).append({ ...at, value: perplexity });
      for (const quantity of ['dropRate', 'meanK', 'expertUsage', 'unevenness'] as const) {
        const value = set[quantity];
        if (value !== undefined) this.curve(`${quantity}.${name}`).append({ ...at, value: fromJsonNumber(value) });
      }
      const bitsPerByte = set.bitsPerByte === undefined ? null : finiteOrNull(fromJsonNumber(set.bitsPerByte));
      this.validation.set(name, { name, step: line.step, perplexity: finiteOrNull(perplexity), bitsPerByte });
    }
  }

  /** The run goes on from the checkpoint of `step`: what came after it no longer holds. */
  rewind(step: number): void {
    for (const curve of this.curves.values()) curve.truncate(step + 1);
    const smoothed = this.curves.get('trainSmoothed');
    this.average.reset(Math.log(smoothed?.last?.value ?? 1), smoothed?.length ?? 0);
    const last = this.curves.get('train')?.last;
    this.step = last?.step ?? 0;
    this.seconds = last?.seconds ?? 0;
    this.tokens = last?.tokens ?? 0;
    this.trainPerplexity = last?.value ?? null;
    this.choices = null;
    for (const [name, shown] of this.validation) {
      if (shown.step > step) this.validation.delete(name);
    }
  }

  figures(): Figures {
    const { step, seconds, tokens, tokensPerSecond, trainPerplexity, choices } = this;
    return { step, seconds, tokens, tokensPerSecond, trainPerplexity, choices, validation: [...this.validation.values()] };
  }

  private curve(name: CurveName): MinMaxPyramid {
    const known = this.curves.get(name);
    if (known !== undefined) return known;
    const created = new MinMaxPyramid();
    this.curves.set(name, created);
    return created;
  }
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
