import type { TrainingControl } from '../training/trainingEvents';

/** Gathers what was asked of a run, from whichever side, until the training loop looks. */
export class RunControl implements TrainingControl {
  private stopping = false;
  private checkpointing = false;

  /** `onStop` is called once. */
  constructor(private readonly onStop: () => void) {}

  get stopRequested(): boolean {
    return this.stopping;
  }

  get checkpointRequested(): boolean {
    return this.checkpointing;
  }

  stop(): void {
    if (this.stopping) return;
    this.stopping = true;
    this.onStop();
  }

  checkpoint(): void {
    this.checkpointing = true;
  }

  checkpointDone(): void {
    this.checkpointing = false;
  }
}
