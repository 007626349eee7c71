import { bindShape, elementCount } from '../../graph/dimensions';
import type { Buffer, Program } from '../../graph/program';
import type { StateSizes } from '../stateLayout';
import type { Outputs } from './runtimeSession';
import type { IndexedOutput } from './trainingGraph';

/** Where a session's buffers lie: arrays of the host, or tensors of a device. */
export interface BufferPlace<T> {
  put(data: Float32Array, shape: readonly number[]): T | Promise<T>;
  /** An output of a graph, to be kept. */
  keep(outputs: Outputs, name: string): T;
  free(tensor: T): void;
}

/**
 * Buffers by their index in the program: one tensor of most, of lane buffers one for each microbatch of a step. Those that a set has not
 * got are empty.
 */
type Copies<T> = readonly (readonly T[])[];

/** The buffers of a session, or of evaluation those that are its own. */
export class BufferSet<T> {
  private constructor(
    private copies: Copies<T>,
    private readonly place: BufferPlace<T>,
  ) {}

  /** Every copy of the buffers that `wanted` says begins with the buffer's initial value. */
  static async create<T>(
    program: Program,
    { batch, time, microbatches }: StateSizes,
    place: BufferPlace<T>,
    wanted: (buffer: Buffer) => boolean = () => true,
  ): Promise<BufferSet<T>> {
    const copies: T[][] = [];
    for (const buffer of program.buffers) {
      const shape = bindShape(buffer.shape, { batch, time });
      const count = !wanted(buffer) ? 0 : buffer.updated === 'lane' ? microbatches : 1;
      const made: T[] = [];
      while (made.length < count) made.push(await place.put(new Float32Array(elementCount(shape)).fill(buffer.initial), shape));
      copies.push(made);
    }
    return new BufferSet(copies, place);
  }

  has(index: number): boolean {
    return this.copiesOf(index).length > 0;
  }

  /** All that state holds of a buffer. */
  copiesOf(index: number): readonly T[] {
    return this.copies[index] ?? [];
  }

  /** In place of the copies that there are. */
  set(index: number, copies: readonly T[]): void {
    this.copiesOf(index).forEach((copy) => this.place.free(copy));
    this.copies = this.copies.map((old, place) => (place === index ? copies : old));
  }

  /** Buffers to go on with from microbatch to microbatch, while these stay as they are until it is known that the step counts. */
  begin(): StepBuffers<T> {
    return new StepBuffers(this.copies, this.place, (next) => (this.copies = next));
  }

  dispose(): void {
    for (const copy of this.copies.flat()) this.place.free(copy);
    this.copies = [];
  }
}

/** The buffers within a step. Ends with `keep` or `drop`. */
export class StepBuffers<T> {
  private readonly held: ReadonlySet<T>;
  private current: Copies<T>;

  constructor(
    private readonly before: Copies<T>,
    private readonly place: BufferPlace<T>,
    private readonly settle: (next: Copies<T>) => void,
  ) {
    this.current = before;
    this.held = new Set(before.flat());
  }

  /** What a microbatch reads. */
  at(index: number, microbatch: number): T {
    const copy = this.current[index]?.[this.copyOf(index, microbatch)];
    if (copy === undefined) throw new RangeError(`There is no buffer ${index} for microbatch ${microbatch}.`);
    return copy;
  }

  /** With the buffers that a graph replaced as it gave them. Frees what only this step knew. */
  replace(outputs: Outputs, updates: readonly IndexedOutput[], microbatch: number): void {
    for (const { index, output } of updates) {
      const old = this.at(index, microbatch);
      const next = this.place.keep(outputs, output);
      const copy = this.copyOf(index, microbatch);
      this.current = this.current.map((copies, at) => (at === index ? copies.with(copy, next) : copies));
      if (!this.held.has(old)) this.place.free(old);
    }
  }

  /** The step counts: its buffers are the state now. */
  keep(): void {
    this.settle(this.current);
    this.freeAllBut(this.before, this.current);
  }

  drop(): void {
    this.freeAllBut(this.current, this.before);
  }

  /** Where there is one copy all microbatches share it. */
  private copyOf(index: number, microbatch: number): number {
    return Math.min(microbatch, (this.before[index]?.length ?? 0) - 1);
  }

  private freeAllBut(copies: Copies<T>, kept: Copies<T>): void {
    const keeping = new Set(kept.flat());
    for (const copy of copies.flat()) if (!keeping.has(copy)) this.place.free(copy);
  }
}
