import type { ExpertFrame } from '../../runs/format';

/** What the experts of all routed layers got over the steps fromStep < s <= step. */
export interface ExpertSlot {
  readonly fromStep: number;
  readonly step: number;
  /** Layer -> counts float32 [experts]; a layer whose frame has not arrived is missing. */
  readonly layers: ReadonlyMap<number, Float32Array>;
}

/** A slot and how many frames of the file it sums. */
interface Held extends ExpertSlot {
  readonly frames: number;
}

/**
 * Expert counts over time in bounded memory: when there are more than `capacity` slots, neighbours are summed, so every share that is
 * shown stays exact, over a longer stretch of steps. The newest slot is always one frame.
 */
export class ExpertHistory {
  private slots: Held[] = [];
  private stride = 1;
  private changes = 0;
  /** Step of the last frame that holds. */
  private lastStep = 0;

  constructor(private readonly capacity = 512) {}

  /** Goes up with every change. */
  get revision(): number {
    return this.changes;
  }

  get length(): number {
    return this.slots.length;
  }

  get range(): { readonly first: number; readonly last: number } | null {
    const [first] = this.slots;
    const last = this.slots.at(-1);
    return first === undefined || last === undefined ? null : { first: first.step, last: last.step };
  }

  get latest(): ExpertSlot | null {
    return this.slots.at(-1) ?? null;
  }

  /** Frames come by ascending step; those of one step together make a slot. */
  add(frame: ExpertFrame): void {
    this.changes++;
    const last = this.slots.at(-1);
    if (last !== undefined && last.step === frame.step && last.frames === 1) {
      this.slots[this.slots.length - 1] = { ...last, layers: new Map(last.layers).set(frame.layer, frame.counts) };
      return;
    }
    if (this.slots.length >= this.capacity) this.thin();
    this.slots.push({ fromStep: this.lastStep, step: frame.step, layers: new Map([[frame.layer, frame.counts]]), frames: 1 });
    this.lastStep = frame.step;
  }

  /** The run goes on from the checkpoint of `step`: what came after it no longer holds. */
  rewind(step: number): void {
    this.changes++;
    this.slots = this.slots.filter((slot) => slot.step <= step);
    this.lastStep = Math.min(this.lastStep, step);
  }

  /** The slot that covers `step`; the first or last one when it lies outside. */
  at(step: number): ExpertSlot | null {
    return this.slots.find((slot) => slot.step >= step) ?? this.latest;
  }

  /** Frames of all slots, each as one. */
  get frames(): readonly ExpertFrame[] {
    return this.slots.flatMap((slot) => [...slot.layers].map(([layer, counts]) => ({ step: slot.step, layer, counts })));
  }

  private thin(): void {
    this.stride *= 2;
    const thinned: Held[] = [];
    for (const slot of this.slots) {
      const previous = thinned.at(-1);
      if (previous !== undefined && previous.frames + slot.frames <= this.stride) thinned[thinned.length - 1] = sum(previous, slot);
      else thinned.push(slot);
    }
    this.slots = thinned;
  }
}

function sum(earlier: Held, later: Held): Held {
  const layers = new Map(earlier.layers);
  for (const [layer, counts] of later.layers) {
    const before = layers.get(layer);
    layers.set(layer, before === undefined ? counts : counts.map((count, expert) => count + (before[expert] ?? 0)));
  }
  return { fromStep: earlier.fromStep, step: later.step, layers, frames: earlier.frames + later.frames };
}
