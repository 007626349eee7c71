/** Says how far several trainings are together, at most once in `interval` milliseconds. Work is counted in steps weighted by tokens. */
export class Progress {
  private readonly done = new Map<string, number>();
  private readonly startedAt: number;
  private printedAt: number;
  /** Work that an earlier start of the command had done: no part of this one's speed. */
  private found = 0;

  constructor(
    /** Steps of each training, by slug. */
    private readonly steps: ReadonlyMap<string, number>,
    private readonly print: (line: string) => void,
    private readonly now: () => number = () => performance.now(),
    private readonly interval = 30_000,
  ) {
    this.startedAt = this.now();
    this.printedAt = this.startedAt;
  }

  /** The first report of a training may be of the step it goes on from. */
  report(slug: string, step: number): void {
    const before = this.done.get(slug);
    if (before === undefined) this.found += step;
    this.done.set(slug, step);
    if (this.now() - this.printedAt < this.interval) return;
    this.printedAt = this.now();
    this.print(this.line());
  }

  /** A training that needs nothing more. */
  finish(slug: string): void {
    const total = this.steps.get(slug) ?? 0;
    if (!this.done.has(slug)) this.found += total;
    this.done.set(slug, total);
  }

  line(): string {
    const total = sum(this.steps.values());
    const done = sum(this.done.values());
    const minutes = (this.now() - this.startedAt) / 60_000;
    const speed = (done - this.found) / minutes;
    const left = speed > 0 ? `, about ${Math.ceil((total - done) / speed)} minutes to go` : '';
    return `${((100 * done) / total).toFixed(0)} % of all steps after ${minutes.toFixed(1)} minutes${left}`;
  }
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
