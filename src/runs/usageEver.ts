/**
 * Which experts of a retrieval were ever used, over the frames of a run. Holds 4 bytes per expert, so that a rewind can take back what it
 * voids.
 */
export class UsageEver {
  /** The step of the first frame that used each expert, `never` where none has. */
  private readonly firstUsed: Uint32Array;
  private count = 0;

  constructor(readonly experts: number) {
    this.firstUsed = new Uint32Array(experts).fill(never);
  }

  /** Experts used so far. */
  get used(): number {
    return this.count;
  }

  /** A frame of sketches.bin; they come by ascending step. */
  add({ step, used }: { readonly step: number; readonly used: Uint8Array }): void {
    // By index: an iterator over a million experts takes seconds in a long run.
    for (let index = 0; index < used.length; index++) {
      const bits = used[index] ?? 0;
      if (bits === 0) continue;
      for (let bit = 0; bit < 8; bit++) {
        const expert = 8 * index + bit;
        if (((bits >> bit) & 1) === 0 || expert >= this.experts || this.firstUsed[expert] !== never) continue;
        this.firstUsed[expert] = step;
        this.count++;
      }
    }
  }

  /** The run goes on from the checkpoint of `step`: what came after it no longer holds. */
  rewind(step: number): void {
    for (let expert = 0; expert < this.experts; expert++) {
      const first = this.firstUsed[expert] ?? never;
      if (first === never || first <= step) continue;
      this.firstUsed[expert] = never;
      this.count--;
    }
  }
}

const never = 0xffffffff;
