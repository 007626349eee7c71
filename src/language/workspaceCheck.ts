import type { Steps } from '../config/steps';
import type { ConfigAnalysis } from './analysis';
import type { AnalysisStore } from './analysisStore';
import { ownSlices, Pace, type Slices } from './slices';

/** Analyses many configs, open or not, in slices, and again when something that they read has changed. */
export class WorkspaceCheck {
  readonly #wanted = new Set<string>();
  readonly #queue = new Set<string>();
  readonly #pace: Pace;
  #running: Promise<void> | undefined;
  #disposed = false;

  constructor(
    private readonly store: Pick<AnalysisStore, 'steps' | 'forget'>,
    private readonly checked: (analysis: ConfigAnalysis) => void,
    private readonly slices: Slices = ownSlices,
  ) {
    this.#pace = new Pace(slices);
  }

  /** The longest stretch that the thread was kept, in milliseconds. */
  get longestSlice(): number {
    return this.#pace.longest;
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
    const work = this.#work();
    do await this.slices.pause();
    while (!this.#disposed && this.#pace.slice(work).done !== true);
  }

  /** What is asked for while it works is taken up. */
  *#work(): Steps<void> {
    for (const file of this.#queue) {
      this.#queue.delete(file);
      const analysis = yield* this.store.steps(file);
      // Between two steps it may have gone.
      if (this.#wanted.has(file)) this.checked(analysis);
      else this.store.forget(file);
      yield;
    }
  }

  dispose(): void {
    this.#disposed = true;
    this.#queue.clear();
  }
}
