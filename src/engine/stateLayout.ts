import { bindShape, elementCount } from '../graph/dimensions';
import type { Program } from '../graph/program';
import { STATE_PIECE_ELEMENTS, type SessionOptions, type StateTensor } from './engine';

/** What the shapes of lane buffers depend on. */
export type StateSizes = Pick<SessionOptions, 'batch' | 'time' | 'microbatches'>;

/** A tensor of the training state, whole: what of a StateTensor does not depend on the piece. */
export interface StateEntry {
  readonly kind: StateTensor['kind'];
  readonly name: string;
  readonly shape: readonly number[];
  /** Index into program.parameters or program.buffers. */
  readonly index: number;
}

/** Every tensor of a program's training state: parameters in program order, each with what the optimiser knows of it, then buffers. */
export function stateEntries(
  program: Pick<Program, 'parameters' | 'buffers'>,
  { batch, time, microbatches }: StateSizes,
): readonly StateEntry[] {
  const ofParameters = program.parameters.flatMap(({ name, shape, gradient }, index): StateEntry[] => [
    { kind: 'parameter', name, shape, index },
    { kind: 'firstMoment', name, shape, index },
    { kind: 'secondMoment', name, shape, index },
    // The last row belongs to the whole table: see engine/onnx/lazyAdamw.ts.
    ...(gradient === 'rows' ? [{ kind: 'rowState' as const, name, shape: [(shape[0] ?? 0) + 1, 3], index }] : []),
  ]);
  const ofBuffers = program.buffers.map(({ name, shape, updated }, index): StateEntry => {
    const copy = bindShape(shape, { batch, time });
    return { kind: 'buffer', name, shape: updated === 'lane' ? [microbatches, ...copy] : copy, index };
  });
  return [...ofParameters, ...ofBuffers];
}

/**
 * A tensor in pieces, out of the arrays that hold it one after the other: one for most, one for each microbatch of a lane buffer. The
 * pieces are copies.
 * `pieceElements` is smaller in tests alone.
 */
export function* piecesOf(
  { kind, name, shape }: StateEntry,
  parts: readonly Float32Array[],
  pieceElements = STATE_PIECE_ELEMENTS,
): Generator<StateTensor> {
  const total = elementCount(shape);
  if (total === 0) yield { kind, name, shape, offset: 0, data: new Float32Array(0) };
  for (let offset = 0; offset < total; offset += pieceElements) {
    const data = new Float32Array(Math.min(pieceElements, total - offset));
    copyBetween(parts, offset, [data], 0, data.length);
    yield { kind, name, shape, offset, data };
  }
}

/** Copies `count` elements between two lists of arrays, each counted as one long array. */
export function copyBetween(
  from: readonly Float32Array[],
  fromStart: number,
  to: readonly Float32Array[],
  toStart: number,
  count: number,
): void {
  let [source, at] = locate(from, fromStart);
  let [target, into] = locate(to, toStart);
  for (let left = count; left > 0;) {
    const [reads, writes] = [from[source], to[target]];
    if (reads === undefined || writes === undefined) throw new RangeError(`${left} elements lie outside the arrays.`);
    const some = Math.min(left, reads.length - at, writes.length - into);
    writes.set(reads.subarray(at, at + some), into);
    left -= some;
    at += some;
    into += some;
    if (at === reads.length) [source, at] = [source + 1, 0];
    if (into === writes.length) [target, into] = [target + 1, 0];
  }
}

/** Which array holds an element, and where in it. */
function locate(arrays: readonly Float32Array[], element: number): [number, number] {
  let rest = element;
  let index = 0;
  for (; rest >= (arrays[index]?.length ?? Infinity); index++) rest -= arrays[index]?.length ?? 0;
  return [index, rest];
}
