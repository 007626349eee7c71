import type { Primitive } from '../primitives';
import type { NdArray } from './array';
import { at, integers, size } from './array';
import type { ReferenceRule } from './rule';
import { input } from './rule';

/** The columns of `x`'s row `unit` from the largest to the least, ties to the lower column. */
function ranked(x: NdArray, unit: number): number[] {
  const columns = size(x, 1);
  return Array.from({ length: columns }, (_, column) => column).sort(
    (i, j) => at(x, unit * columns + j) - at(x, unit * columns + i) || i - j,
  );
}

/**
 * Product keys (1907.05242 section 3.2): of the k largest of a and the k largest of b all k^2 sums, and of those the k largest. A sum
 * outside has k sums that are no smaller: those with the k larger ones of a, or of b, in its place.
 */
export const productKeyRules: { readonly [P in Extract<Primitive, 'productKeys'>]: ReferenceRule<P> } = {
  productKeys: ({ k }, inputs) => {
    const [a, b] = [input(inputs, 0), input(inputs, 1)];
    const [units, keys] = [size(a, 0), size(a, 1)];
    const [indices, first, second] = [integers([units, k]), integers([units, k]), integers([units, k])];
    for (let unit = 0; unit < units; unit++) {
      const [best, bestOther] = [ranked(a, unit).slice(0, k), ranked(b, unit).slice(0, k)];
      // Row by row of the k x k square: the sort is stable, so equal sums stay in the order of a's rank, then b's.
      const pairs = best.flatMap((i) => bestOther.map((j) => ({ i, j, sum: at(a, unit * keys + i) + at(b, unit * keys + j) })));
      pairs.sort((left, right) => right.sum - left.sum);
      pairs.slice(0, k).forEach(({ i, j }, choice) => {
        const flat = unit * k + choice;
        indices.data[flat] = i * keys + j;
        first.data[flat] = i;
        second.data[flat] = j;
      });
    }
    return [indices, first, second];
  },
};
