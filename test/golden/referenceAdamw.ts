import type { StepScalars } from '../../src/engine/engine';
import { elementCount } from '../../src/graph/dimensions';
import type { AdamW, Parameter } from '../../src/graph/program';

/** AdamW of one parameter (1711.05101 Algorithm 2) in float64, element by element; and for tables row by row, where rows that rest wait. */
export class ReferenceAdamw {
  readonly #first: Float64Array;
  readonly #second: Float64Array;
  readonly #decay: number;
  readonly #rateScale: number;
  /** Of each row the step of its last update, and what decay left of a weight of 1 until then. */
  readonly #rows: { step: number; left: number }[];
  /** What decay leaves of a weight of 1 until now. */
  #left = 1;

  constructor(
    { name, group, shape }: Parameter,
    private readonly options: AdamW,
  ) {
    const found = options.groups[group];
    if (found === undefined) throw new RangeError(`${name} is of no group.`);
    this.#decay = found.weightDecay;
    this.#rateScale = found.rateScale;
    this.#first = new Float64Array(elementCount(shape));
    this.#second = new Float64Array(elementCount(shape));
    this.#rows = Array.from({ length: shape[0] ?? 1 }, () => ({ step: 0, left: 1 }));
  }

  /** Replaces all `weights`; the gradient is a clipped one. */
  step(weights: Float64Array, gradient: Float64Array, { step, learningRate }: StepScalars): void {
    const rate = learningRate * this.#rateScale;
    gradient.forEach((g, i) => {
      const weight = weights[i] ?? Number.NaN;
      weights[i] = weight * (1 - rate * this.#decay) - rate * this.#direction(i, g, 1, step);
    });
  }

  /** Replaces the rows that were `used`, with the decay of the steps in which they rested. */
  stepRows(weights: Float64Array, gradient: Float64Array, used: ReadonlySet<number>, { step, learningRate }: StepScalars): void {
    const rate = learningRate * this.#rateScale;
    this.#left *= 1 - rate * this.#decay;
    const width = weights.length / this.#rows.length;
    for (const index of used) {
      const row = this.#rows[index];
      if (row === undefined) throw new RangeError(`There is no row ${index}.`);
      for (let i = index * width; i < (index + 1) * width; i++) {
        const weight = (weights[i] ?? Number.NaN) * (this.#left / row.left);
        weights[i] = weight - rate * this.#direction(i, gradient[i] ?? Number.NaN, step - row.step, step);
      }
      Object.assign(row, { step, left: this.#left });
    }
  }

  /** Moves the moments of an element that was last updated `since` steps ago. */
  #direction(i: number, g: number, since: number, step: number): number {
    const { beta1, beta2, epsilon } = this.options;
    const m = (this.#first[i] = beta1 ** since * (this.#first[i] ?? 0) + (1 - beta1) * g);
    const v = (this.#second[i] = beta2 ** since * (this.#second[i] ?? 0) + (1 - beta2) * g * g);
    return m / (1 - beta1 ** step) / (Math.sqrt(v / (1 - beta2 ** step)) + epsilon);
  }
}
