import { expertCapacity, expertChoiceCapacity } from '../capacity';
import type { Primitive } from '../primitives';
import type { NdArray } from './array';
import { at, integers, size, zeros } from './array';
import type { ReferenceRule } from './rule';
import { input } from './rule';

type Family =
  | 'topK'
  | 'takeAlongLast'
  | 'scatterAlongLast'
  | 'countChoices'
  | 'withinCapacity'
  | 'expertChoice'
  | 'route'
  | 'permute'
  | 'unpermute'
  | 'expertMatmul'
  | 'expertMatmulGradient'
  | 'combine'
  | 'combineGradient';

/** Calls `visit(expert, row)` for every routed row, experts in order. */
function forEachExpertRow(counts: NdArray, visit: (expert: number, row: number) => void): void {
  let row = 0;
  counts.data.forEach((count, expert) => {
    for (let n = 0; n < count; n++) visit(expert, row++);
  });
}

export const routingRules: { readonly [P in Extract<Primitive, Family>]: ReferenceRule<P> } = {
  topK: ({ k, groups }, inputs) => {
    const x = input(inputs, 0);
    const [units, columns] = [size(x, 0), size(x, 1)];
    const section = columns / groups;
    const result = integers([units, groups * k]);
    for (let unit = 0; unit < units; unit++) {
      for (let group = 0; group < groups; group++) {
        const ranked = Array.from({ length: section }, (_, column) => group * section + column).sort(
          (a, b) => at(x, unit * columns + b) - at(x, unit * columns + a) || a - b,
        );
        result.data.set(ranked.slice(0, k), (unit * groups + group) * k);
      }
    }
    return [result];
  },
  takeAlongLast: (_, inputs) => {
    const [x, indices] = [input(inputs, 0), input(inputs, 1)];
    const [k, columns] = [size(indices, 1), size(x, 1)];
    const result = zeros(indices.shape);
    indices.data.forEach((column, flat) => {
      result.data[flat] = at(x, Math.floor(flat / k) * columns + column);
    });
    return [result];
  },
  scatterAlongLast: (attributes, inputs, context) => {
    const [indices, values] = [input(inputs, 0), input(inputs, 1)];
    const k = size(indices, 1);
    const columns = context.bind(attributes.size);
    const result = zeros([size(indices, 0), columns]);
    indices.data.forEach((column, flat) => {
      const target = Math.floor(flat / k) * columns + column;
      result.data[target] = at(result, target) + at(values, flat);
    });
    return [result];
  },
  countChoices: ({ experts, choices }, inputs) => {
    const indices = input(inputs, 0);
    const k = size(indices, 1);
    const result = zeros([experts]);
    indices.data.forEach((expert, flat) => {
      if (flat % k < choices && expert !== experts) result.data[expert] = at(result, expert) + 1;
    });
    return [result];
  },
  withinCapacity: ({ experts, factor, order }, inputs) => {
    const indices = input(inputs, 0);
    const [units, k] = [size(indices, 0), size(indices, 1)];
    const capacity = expertCapacity(factor, units * k, experts);
    const [taken, result] = [integers([experts]), zeros(indices.shape)];
    for (let place = 0; place < units * k; place++) {
      // Under `choice` order the places run down the columns of [U, k], under `unit` order along its rows.
      const flat = order === 'unit' ? place : (place % units) * k + Math.floor(place / units);
      const expert = at(indices, flat);
      if (expert === experts) continue;
      result.data[flat] = at(taken, expert) < capacity ? 1 : 0;
      taken.data[expert] = at(taken, expert) + 1;
    }
    return [result];
  },
  expertChoice: ({ k, capacity }, inputs, context) => {
    const scores = input(inputs, 0);
    const [units, experts] = [size(scores, 0), size(scores, 1)];
    const chosen = expertChoiceCapacity(k, units, experts);
    context.setRows(capacity, chosen);
    const result = integers([experts, chosen]);
    for (let expert = 0; expert < experts; expert++) {
      const ranked = Array.from({ length: units }, (_, unit) => unit).sort(
        (a, b) => at(scores, b * experts + expert) - at(scores, a * experts + expert) || a - b,
      );
      result.data.set(ranked.slice(0, chosen), expert * chosen);
    }
    return [result];
  },
  route: ({ experts, rows }, inputs, context) => {
    const indices = input(inputs, 0);
    const [slots, order, counts] = [integers(indices.shape), integers([indices.data.length]), integers([experts])];
    context.setRows(rows, indices.data.length);
    // One more than there are experts: the rows that go nowhere lie after all others, and no count holds them.
    const byExpert = Array.from({ length: experts + 1 }, (): number[] => []);
    indices.data.forEach((expert, flat) => {
      const flats = byExpert[expert];
      if (flats === undefined) throw new RangeError(`There is no expert ${expert} among ${experts}.`);
      flats.push(flat);
    });
    byExpert.slice(0, experts).forEach((flats, expert) => {
      counts.data[expert] = flats.length;
    });
    byExpert.flat().forEach((flat, row) => {
      order.data[row] = flat;
      slots.data[flat] = row;
    });
    return [slots, order, counts];
  },
  permute: (_, inputs) => {
    const [x, slots, order] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
    const [k, width] = [size(slots, 1), size(x, 1)];
    const result = zeros([order.data.length, width]);
    order.data.forEach((flat, row) => {
      if (flat < 0) return;
      for (let i = 0; i < width; i++) result.data[row * width + i] = at(x, Math.floor(flat / k) * width + i);
    });
    return [result];
  },
  unpermute: (_, inputs) => {
    const [y, slots] = [input(inputs, 0), input(inputs, 1)];
    const [k, width] = [size(slots, 1), size(y, 1)];
    const result = zeros([size(slots, 0), width]);
    slots.data.forEach((row, flat) => {
      for (let i = 0; i < width; i++) {
        const target = Math.floor(flat / k) * width + i;
        result.data[target] = at(result, target) + at(y, row * width + i);
      }
    });
    return [result];
  },
  expertMatmul: ({ transposeWeight }, inputs) => {
    const [x, weight, counts] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
    const inner = size(x, 1);
    const columns = size(weight, transposeWeight ? 1 : 2);
    const result = zeros([size(x, 0), columns]);
    forEachExpertRow(counts, (expert, row) => {
      for (let column = 0; column < columns; column++) {
        let sum = 0;
        for (let i = 0; i < inner; i++) {
          const element = expert * inner * columns + (transposeWeight ? column * inner + i : i * columns + column);
          sum += at(x, row * inner + i) * at(weight, element);
        }
        result.data[row * columns + column] = sum;
      }
    });
    return [result];
  },
  expertMatmulGradient: (_, inputs) => {
    const [x, g, counts] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
    const [inner, columns] = [size(x, 1), size(g, 1)];
    const result = zeros([counts.data.length, inner, columns]);
    forEachExpertRow(counts, (expert, row) => {
      for (let i = 0; i < inner; i++) {
        for (let column = 0; column < columns; column++) {
          const element = (expert * inner + i) * columns + column;
          result.data[element] = at(result, element) + at(x, row * inner + i) * at(g, row * columns + column);
        }
      }
    });
    return [result];
  },
  combine: (_, inputs) => {
    const [y, weights, slots] = [input(inputs, 0), input(inputs, 1), input(inputs, 2)];
    const [k, width] = [size(slots, 1), size(y, 1)];
    const result = zeros([size(slots, 0), width]);
    slots.data.forEach((row, flat) => {
      for (let i = 0; i < width; i++) {
        const target = Math.floor(flat / k) * width + i;
        result.data[target] = at(result, target) + at(weights, flat) * at(y, row * width + i);
      }
    });
    return [result];
  },
  combineGradient: (_, inputs) => {
    const [y, weights, slots, g] = [input(inputs, 0), input(inputs, 1), input(inputs, 2), input(inputs, 4)];
    const [k, width] = [size(slots, 1), size(y, 1)];
    const [dy, dweights] = [zeros(y.shape), zeros(weights.shape)];
    slots.data.forEach((row, flat) => {
      for (let i = 0; i < width; i++) {
        const gradient = at(g, Math.floor(flat / k) * width + i);
        dy.data[row * width + i] = at(weights, flat) * gradient;
        dweights.data[flat] = at(dweights, flat) + at(y, row * width + i) * gradient;
      }
    });
    return [dy, dweights];
  },
};
