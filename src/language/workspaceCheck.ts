import type { ConfigAnalysis } from './analysis';
import type { AnalysisStore } from './analysisStore';

/** How a check shares the thread with everybody else. */
export interface Slices {
  /** Longest time at a stretch, in milliseconds; an analysis that has begun is finished. */
  readonly milliseconds: number;
  now(): number;
  /** Lets others work; resolves when it may go on. */
  pause(): Promise<void>;
}

/** The thread is given back after each slice. Less than the 8 ms that nobody notices, since an analysis, or the collection of garbage, may come on top. */
export const ownSlices: Slices = {
  milliseconds: 5,
  now: () => performance.now(),
  pause: () => new Promise((resolve) => setImmediate(resolve)),
};

/**
 * Analyses many configs, open or not, a few at a time, and again when something that they read has changed. Slices end before they are likely to take longer
 * than they may: an analysis takes about as long as the slowest of late.
 */
export class WorkspaceCheck {
  readonly #wanted = new Set<string>();
  readonly #queue = new Set<string>();
  #running: Promise<void> | undefined;
  #disposed = false;
  /** Of one analysis, in milliseconds. */
  #slowest = 0;
  #longestSlice = 0;

  constructor(
    private readonly store: Pick<AnalysisStore, 'get' | 'forget'>,
    private readonly checked: (analysis: ConfigAnalysis) => void,
    private readonly slices: Slices = ownSlices,
  ) {}

  /** The longest stretch that the thread was kept, in milliseconds. */
  get longestSlice(): number {
    return this.#longestSlice;
  }

  get files(): ReadonlySet<string> {
    return this.#wanted;
  }

  /** From now on these are the configs that are checked; returns those that no longer are. */
  setFiles(files: Iterable<string>): readonly string[] {
    const next = new Set(files);
    const gone = [...this.#wanted].filter((file) => !next.has(file));
    for (const file of gone) {
      this.#wanted.delete(file);
      this.#queue.delete(file);
      this.store.forget(file);
    }
    const added = [...next].filter((file) => !this.#wanted.has(file));
    for (const file of added) this.#wanted.add(file);
    this.again(added);
    return gone;
  }

  /** Of these configs, those that are checked are checked again, soon. */
  again(files: Iterable<string>): void {
    for (const file of files) if (this.#wanted.has(file)) this.#queue.add(file);
    if (this.#queue.size === 0 || this.#disposed) return;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      this.again([]);
    });
  }

  /** Resolves when nothing is left to check. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#queue.size > 0 && !this.#disposed) {
      await this.slices.pause();
      if (!this.#disposed) this.#slice();
    }
  }

  #slice(): void {
    const { now, milliseconds } = this.slices;
    const start = now();
    let last = start;
    for (const file of this.#queue) {
      this.#queue.delete(file);
      this.checked(this.store.get(file));
      const end = now();
      this.#slowest = Math.max(end - last, 0.9 * this.#slowest);
      last = end;
      if (end - start + this.#slowest > milliseconds) break;
    }
    this.#longestSlice = Math.max(this.#longestSlice, last - start);
  }

  dispose(): void {
    this.#disposed = true;
    this.#queue.clear();
  }
}
