import { elementCount } from '../../graph/dimensions';
import { EngineError, type StateTensor } from '../engine';
import type { StateEntry } from '../stateLayout';

/**
 * Puts pieces of state where they belong: checks that each is of a tensor that the program has, and that a tensor's pieces come in order
 * and without gaps. A tensor that breaks off is an error of the next piece, or of `end`.
 */
export class StateReader {
  private readonly entries: ReadonlyMap<string, StateEntry>;
  private unfinished: { readonly entry: StateEntry; readonly elements: number; next: number } | undefined;

  constructor(entries: readonly StateEntry[]) {
    this.entries = new Map(entries.map((entry) => [keyOf(entry), entry]));
  }

  /** The tensor that a piece belongs to, and whether the piece is its last. */
  take(piece: StateTensor): { readonly entry: StateEntry; readonly last: boolean } {
    const entry = this.entries.get(keyOf(piece));
    if (entry === undefined)
      throw new EngineError(`The model has no ${piece.kind} "${piece.name}".`, 'Use a checkpoint of the same model.');
    if (this.unfinished === undefined || this.unfinished.entry !== entry) {
      this.end();
      this.unfinished = { entry, elements: elementCount(entry.shape), next: 0 };
    }
    const { elements, next } = this.unfinished;
    const tooLong = piece.offset + piece.data.length > elements;
    if (entry.shape.join() !== piece.shape.join() || tooLong) throw wrongShape(piece, entry);
    if (piece.offset !== next || (piece.data.length === 0 && elements > 0)) {
      throw new EngineError(`"${piece.name}" (${piece.kind}) has a piece from element ${piece.offset} where ${next} comes next.`, advice);
    }
    this.unfinished.next += piece.data.length;
    const last = this.unfinished.next === elements;
    if (last) this.unfinished = undefined;
    return { entry, last };
  }

  /** After the last piece. */
  end(): void {
    if (this.unfinished === undefined) return;
    const { entry, elements, next } = this.unfinished;
    throw new EngineError(`"${entry.name}" (${entry.kind}) ends after ${next} of ${elements} elements.`, advice);
  }
}

const advice = 'Use a checkpoint of the same model, or set the config back to what it was.';

function keyOf({ kind, name }: Pick<StateEntry, 'kind' | 'name'>): string {
  return `${kind}/${name}`;
}

function wrongShape({ kind, name, shape, offset, data }: StateTensor, entry: StateEntry): EngineError {
  const has = `shape [${shape.join(', ')}]${offset === 0 ? '' : ` from element ${offset}`} with ${data.length} elements`;
  return new EngineError(`"${name}" (${kind}) has ${has}, the model wants [${entry.shape.join(', ')}].`, advice);
}
