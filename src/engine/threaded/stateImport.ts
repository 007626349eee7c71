import type { Session, StateTensor } from '../engine';

/** Pieces of state that come one by one, by messages, as the one stream that a session reads. */
export class StateImport {
  private readonly done: Promise<void>;
  private give: (piece: StateTensor | undefined) => void = () => undefined;
  private announce: () => void = () => undefined;
  /** Settles when the session asks for the next piece: it has then put the one before in its place. */
  private asked = this.nextQuestion();

  constructor(session: Session) {
    this.done = session.importState(this.pieces());
    // An error is told to who hands over the next piece, or ends the import.
    this.done.catch(() => undefined);
  }

  /** Hands over a piece and waits until it is taken. Throws what the session throws. */
  async take(piece: StateTensor): Promise<void> {
    await this.handOver(piece);
    await Promise.race([this.asked, this.done]);
  }

  async end(): Promise<void> {
    await this.handOver(undefined);
    await this.done;
  }

  private async handOver(piece: StateTensor | undefined): Promise<void> {
    await Promise.race([this.asked, this.done]);
    this.asked = this.nextQuestion();
    this.give(piece);
  }

  private nextQuestion(): Promise<void> {
    return new Promise((resolve) => (this.announce = resolve));
  }

  private async *pieces(): AsyncGenerator<StateTensor> {
    for (;;) {
      const piece = await new Promise<StateTensor | undefined>((resolve) => {
        this.give = resolve;
        this.announce();
      });
      if (piece === undefined) return;
      yield piece;
    }
  }
}
