/** Tokens per second over the last steps: an exponential mean of tokens over one of seconds, so that a slow step does not count twice. */
export class Throughput {
  private tokens = 0;
  private seconds = 0;

  /** Share of the past kept at each step: the last ten or so count. */
  constructor(private readonly decay = 0.9) {}

  add(tokens: number, seconds: number): void {
    this.tokens = this.decay * this.tokens + tokens;
    this.seconds = this.decay * this.seconds + seconds;
  }

  get tokensPerSecond(): number {
    return this.seconds > 0 ? this.tokens / this.seconds : 0;
  }
}
