import type { Here } from '../../runs/liveness';
import type { RunKey } from '../panels/dashboard-protocol';
import { buffersOf, DashboardFeed } from './dashboardFeed';
import type { FromReader, ToReader } from './readerMessages';
import { RunWatch } from './runWatch';

export interface ReaderOptions {
  readonly here: Here;
  readonly send: (message: FromReader, transfer: ArrayBuffer[]) => void;
  /** Milliseconds between two looks at the files: the most often that updates are sent. */
  readonly interval: number;
}

/** What the reader thread does: looks at the shown run directories at a steady pace and sends what is new. */
export class ReaderLoop {
  private readonly feed = new DashboardFeed();
  private watches = new Map<RunKey, RunWatch>();
  private timer: NodeJS.Timeout | undefined;
  private running = false;
  private looking: Promise<void> | null = null;

  constructor(private readonly options: ReaderOptions) {}

  receive(message: ToReader): void {
    switch (message.type) {
      case 'restart':
        this.feed.restart();
        return this.resume();
      case 'view':
        this.feed.setView(message.view);
        return this.resume();
      case 'runs':
        this.setRuns(message.runs);
        if (this.running) this.resume();
        return;
      case 'pause':
        return this.stop();
      case 'expertsAt':
        return this.sendExperts(message.id, message.run, message.step);
      case 'sketchAt': {
        const figures = this.watches.get(message.run)?.retrievalFigures(message.layer, message.step) ?? null;
        return this.options.send({ type: 'sketch', id: message.id, figures }, []);
      }
    }
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
  }

  private resume(): void {
    this.running = true;
    this.schedule(0);
  }

  private schedule(delay: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), delay);
  }

  private setRuns(runs: readonly RunKey[]): void {
    this.watches = new Map(runs.map((run) => [run, this.watches.get(run) ?? new RunWatch(run, this.options.here)]));
    this.feed.setRuns([...this.watches.values()]);
  }

  /** One look at a time: a slow disk makes updates rarer, never parallel. */
  private async look(): Promise<void> {
    if (this.looking !== null) return;
    this.looking = Promise.all([...this.watches.values()].map((watch) => watch.poll())).then(() => undefined);
    await this.looking;
    this.looking = null;
    if (!this.running) return;
    const update = this.feed.next(Date.now());
    if (update !== null) this.options.send({ type: 'update', update }, buffersOf(update));
    this.schedule(this.options.interval);
  }

  private sendExperts(id: number, run: RunKey, step: number): void {
    const frame = this.watches.get(run)?.expertsFrame(step) ?? null;
    this.options.send({ type: 'experts', id, frame }, frame?.layers.map((layer) => layer.counts) ?? []);
  }
}
