import type { Gradient, ValueId } from '../program';
import type { NdArray } from './array';
import { at, size, zeros } from './array';

/** A gradient as an array of its parameter's shape: rows are added up into a table, which only checks can afford. */
export function denseGradient(gradient: Gradient, shape: readonly number[], values: ReadonlyMap<ValueId, NdArray>): NdArray {
  const read = (id: ValueId): NdArray => {
    const array = values.get(id);
    if (array === undefined) throw new RangeError(`Value ${id} of a gradient was not computed.`);
    return array;
  };
  if (gradient.kind === 'dense') return read(gradient.value);
  const table = zeros(shape);
  for (const part of gradient.parts) addRows(table, read(part.indices), read(part.coefficients), read(part.vectors));
  return table;
}

/** Adds coefficients[u, j] vectors[u] into row indices[u, j] of `table` [rows, d]. */
export function addRows(table: NdArray & { readonly data: Float64Array }, indices: NdArray, coefficients: NdArray, vectors: NdArray): void {
  const [rows, width, k] = [size(table, 0), size(table, 1), size(indices, 1)];
  indices.data.forEach((row, flat) => {
    if (row < 0 || row >= rows) throw new RangeError(`Row ${row} is outside a table of ${rows} rows.`);
    const unit = Math.floor(flat / k);
    for (let i = 0; i < width; i++) {
      table.data[row * width + i] = at(table, row * width + i) + at(coefficients, flat) * at(vectors, unit * width + i);
    }
  });
}
