/** One sum into rows of a table [rows, width]: coefficients[u, j] vectors[u] is added into row indices[u, j]. Arrays are row-major. */
export interface RowPart {
  /** [U, k], each in [0, rows). */
  readonly indices: Int32Array;
  /** [U, k]. */
  readonly coefficients: Float32Array;
  /** [U, width]. */
  readonly vectors: Float32Array;
}

/** Bits of a row number that one pass of the sort looks at. */
const DIGIT_BITS = 11;

/**
 * The gradient of a table of which few rows were read: the sum of all parts of all microbatches of a step, row by row. A row's gradient is
 * summed in float64 when it is asked for, in the order of the parts, so the same parts always give the same bits; what is kept is the
 * parts, sorted by row. Summing twice, for the norm and for the update, costs less time than writing all rows down in between and reading
 * them again, and no memory.
 */
export class RowGradients {
  /** The rows that were read, each once, ascending. */
  readonly rows: Int32Array;
  /** Where in the sorted occurrences those of each row begin, and at the end their number: [rows.length + 1]. */
  private readonly starts: Int32Array;
  /** Per occurrence, sorted by row. */
  private readonly coefficients: Float32Array;
  /** Per occurrence, sorted by row: which of `vectors`. */
  private readonly sources: Int32Array;
  /** The vectors of all parts, one after the other. */
  private readonly vectors: Float32Array;

  constructor(
    parts: readonly RowPart[],
    private readonly width: number,
  ) {
    const count = parts.reduce((total, { indices }) => total + indices.length, 0);
    const rows = new Int32Array(count);
    const coefficients = new Float32Array(count);
    const sources = new Int32Array(count);
    this.vectors = new Float32Array(parts.reduce((total, { vectors }) => total + vectors.length, 0));
    let [start, source] = [0, 0];
    for (const part of parts) {
      const units = part.vectors.length / width;
      const choices = part.indices.length / units;
      rows.set(part.indices, start);
      coefficients.set(part.coefficients, start);
      for (let unit = 0; unit < units; unit++) sources.fill(source + unit, start + unit * choices, start + (unit + 1) * choices);
      this.vectors.set(part.vectors, source * width);
      start += part.indices.length;
      source += units;
    }
    const order = stableOrder(rows);
    this.coefficients = new Float32Array(count);
    this.sources = new Int32Array(count);
    const unique = new Int32Array(count);
    const starts = new Int32Array(count + 1);
    let found = 0;
    for (let place = 0; place < count; place++) {
      const occurrence = order[place] as number;
      this.coefficients[place] = coefficients[occurrence] as number;
      this.sources[place] = sources[occurrence] as number;
      const row = rows[occurrence] as number;
      if (found > 0 && unique[found - 1] === row) continue;
      unique[found] = row;
      starts[found++] = place;
    }
    starts[found] = count;
    this.rows = unique.slice(0, found);
    this.starts = starts.slice(0, found + 1);
  }

  /** The gradient of `rows[place]` [width] into `target`. */
  sumInto(target: Float64Array, place: number): void {
    const { width, vectors, sources, coefficients } = this;
    const [start, end] = [this.starts[place] as number, this.starts[place + 1] as number];
    for (let occurrence = start; occurrence < end; occurrence++) {
      const coefficient = coefficients[occurrence] as number;
      const from = (sources[occurrence] as number) * width;
      if (occurrence === start) for (let i = 0; i < width; i++) target[i] = coefficient * (vectors[from + i] as number);
      else for (let i = 0; i < width; i++) target[i] = (target[i] as number) + coefficient * (vectors[from + i] as number);
    }
  }

  /** Over all elements of the table, for the global norm. */
  sumOfSquares(): number {
    const { width, rows, starts, sources, coefficients } = this;
    const lengths = squaredLengths(this.vectors, width);
    const sum = new Float64Array(width);
    let total = 0;
    for (let place = 0; place < rows.length; place++) {
      const start = starts[place] as number;
      if ((starts[place + 1] as number) === start + 1) {
        // Most rows of a large table are read once: |c v|^2 = c^2 |v|^2.
        total += (coefficients[start] as number) ** 2 * (lengths[sources[start] as number] as number);
      } else {
        this.sumInto(sum, place);
        let squares = 0;
        for (let i = 0; i < width; i++) squares += (sum[i] as number) ** 2;
        total += squares;
      }
    }
    return total;
  }
}

/** |v|^2 of each row of `vectors`. */
function squaredLengths(vectors: Float32Array, width: number): Float64Array {
  const lengths = new Float64Array(vectors.length / width);
  for (let row = 0; row < lengths.length; row++) {
    let squares = 0;
    for (let i = row * width; i < (row + 1) * width; i++) squares += (vectors[i] as number) ** 2;
    lengths[row] = squares;
  }
  return lengths;
}

/** The order that sorts numbers from 0 on, equal ones as they come: a radix sort, since a step has up to millions of them. */
function stableOrder(numbers: Int32Array): Int32Array {
  let largest = 0;
  for (let i = 0; i < numbers.length; i++) largest = Math.max(largest, numbers[i] as number);
  let order = new Int32Array(numbers.length);
  for (let i = 0; i < order.length; i++) order[i] = i;
  let next = new Int32Array(numbers.length);
  const digits = 2 ** DIGIT_BITS;
  for (let shift = 0; shift === 0 || (shift < 31 && largest >> shift > 0); shift += DIGIT_BITS) {
    const places = new Int32Array(digits + 1);
    for (let i = 0; i < numbers.length; i++) {
      const digit = ((numbers[i] as number) >> shift) & (digits - 1);
      places[digit + 1] = (places[digit + 1] as number) + 1;
    }
    for (let digit = 0; digit < digits; digit++) places[digit + 1] = (places[digit + 1] as number) + (places[digit] as number);
    for (let i = 0; i < order.length; i++) {
      const number = order[i] as number;
      const digit = ((numbers[number] as number) >> shift) & (digits - 1);
      const place = places[digit] as number;
      next[place] = number;
      places[digit] = place + 1;
    }
    [order, next] = [next, order];
  }
  return order;
}
