import { elementCount } from '../../graph/dimensions';
import type { Program } from '../../graph/program';
import { EngineError, type StateTensor } from '../engine';

type Kind = StateTensor['kind'];

/** What a session's state consists of: name, kind and shape of every tensor, parameters in program order, each with its moments. */
export interface StateEntry {
  readonly kind: Kind;
  readonly name: string;
  readonly shape: readonly number[];
  /** Index into program.parameters or program.buffers. */
  readonly index: number;
}

export function stateEntries(program: Program): readonly StateEntry[] {
  const kinds: readonly Kind[] = ['parameter', 'firstMoment', 'secondMoment'];
  return [
    ...program.parameters.flatMap(({ name, shape }, index) => kinds.map((kind) => ({ kind, name, shape, index }))),
    ...program.buffers.map(({ name, shape }, index) => ({ kind: 'buffer' as const, name, shape, index })),
  ];
}

/** The entry a tensor belongs to; throws where the program has none, or it has another shape. */
export function findEntry(entries: readonly StateEntry[], tensor: StateTensor): StateEntry {
  const entry = entries.find(({ kind, name }) => kind === tensor.kind && name === tensor.name);
  if (entry === undefined) {
    throw new EngineError(`The model has no ${tensor.kind} "${tensor.name}".`, 'Use a checkpoint of the same model.');
  }
  if (entry.shape.join() !== tensor.shape.join() || tensor.data.length !== elementCount(entry.shape)) {
    throw new EngineError(
      `"${tensor.name}" (${tensor.kind}) has shape [${tensor.shape.join(', ')}], the model wants [${entry.shape.join(', ')}].`,
      'Use a checkpoint of the same model, or set the config back to what it was.',
    );
  }
  return entry;
}
