import { elementCount } from '../../graph/dimensions';
import { drawNoise } from '../../graph/noise';
import type { Program } from '../../graph/program';
import type { Batch } from '../engine';
import { EngineError } from '../engine';
import type { Feed } from './lowering/lower';
import type { Runtime, RuntimeTensor } from './runtime';
import type { StatisticMeans } from './statisticMeans';
import { inputData } from './trainingGraph';

/** What a run of a graph is about. Each graph needs some of it. */
export interface FeedSource {
  readonly batch?: Batch;
  /** Which microbatch of which step draws noise. */
  readonly draw?: { readonly step: number; readonly microbatch: number };
  readonly means?: StatisticMeans;
}

/** Feeds that come from the host on every device: batches, noises and means. */
export class HostFeeds {
  /** One array per noise, drawn into anew: a microbatch's noise is a pure function of step and microbatch, so none need be kept. */
  private readonly noises = new Map<number, Float32Array>();

  constructor(
    private readonly runtime: Runtime,
    private readonly program: Program,
    private readonly seed: number,
  ) {}

  /** Valid until the next call for the same feed. */
  tensor(feed: Exclude<Feed, { kind: 'parameter' | 'buffer' }>, source: FeedSource): RuntimeTensor {
    const { Tensor } = this.runtime;
    if (feed.kind === 'input') {
      const { data, shape } = inputData(given(source.batch, feed), feed.name);
      return new Tensor('int32', data, shape);
    }
    const data = feed.kind === 'mean' ? given(source.means?.get(feed.index), feed) : this.drawn(feed, source);
    return new Tensor('float32', data, feed.shape);
  }

  private drawn(feed: Extract<Feed, { kind: 'noise' }>, source: FeedSource): Float32Array {
    const target = this.noises.get(feed.index) ?? new Float32Array(elementCount(feed.shape));
    this.noises.set(feed.index, target);
    drawNoise(given(this.program.noises[feed.index], feed), target, { seed: this.seed, ...given(source.draw, feed) });
    return target;
  }
}

function given<T>(value: T | undefined, { kind, name }: Feed): T {
  if (value !== undefined) return value;
  throw new EngineError(`A graph wants the ${kind} "${name}", which it is not given.`, 'This is a fault of MoE Lab: please report it.');
}
