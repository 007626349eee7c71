import { EngineError } from '../engine';
import type { AdamWScalars } from './adamw';
import type { RowGradients } from './rowGradients';

/**
 * A table of which a step reads few rows, with what its optimiser keeps. `rowState` [rows + 1, 3]: per row the step of its last update (0 =
 * never) and the decay D up to it, as two numbers to be added (a float32 number is too coarse for a sum over all steps); in the last row
 * step and D of the table, so that a resume goes on with the same bits.
 */
export interface LazyTable {
  readonly width: number;
  /** [rows, width], as are the moments. */
  readonly parameter: Float32Array;
  readonly firstMoment: Float32Array;
  readonly secondMoment: Float32Array;
  readonly rowState: Float32Array;
}

/** What a row of `rowState` has. */
const ROW_STATE = 3;

export function rowStateOf(rows: number): Float32Array {
  return new Float32Array((rows + 1) * ROW_STATE);
}

/**
 * Lazy AdamW, in place: AdamW for a table that is too large to be passed over in every step. A step updates the rows that it read, and only
 * those. For a row with gradient g (averaged over the microbatches and clipped like every other) at step t, last updated at step r (0 =
 * never), eta_s the learning rate of step s times the group's scale, lambda the weight decay:
 *   m = beta1^(t - r) m + (1 - beta1) g,   v = beta2^(t - r) v + (1 - beta2) g^2,
 *   w = w exp(D_t - D_r) - eta_t (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon),   D_t = sum over s <= t of log(1 - eta_s lambda).
 *
 * How it differs from dense AdamW (adamw.ts), which passes over every row, with gradient zero where it was not read:
 * - Moments are the same: a gradient of zero multiplies m by beta1 and v by beta2, and the powers make up for that.
 * - Weight decay is the same but comes late: a row gets it when it is next updated, with the learning rates of the steps between. Until then, in
 *   evaluation and in checkpoints too, the row is as it was when it was last updated.
 * - A row that is not read stands still. Dense AdamW goes on moving it by its momentum, which fades by about beta1 / sqrt(beta2) a step. This is the
 *   one difference that is not made up for.
 * Where every step reads every row, both are the same. Bias correction is by t in both: a row that is first read late is corrected as if it
 * had had gradients of zero before.
 */
export function lazyAdamwUpdate(table: LazyTable, gradients: RowGradients, scalars: AdamWScalars): void {
  const { width, parameter, firstMoment, secondMoment, rowState } = table;
  const { step, learningRate, rateScale, beta1, beta2, epsilon, weightDecay, gradientScale } = scalars;
  const rate = (learningRate * rateScale) / (1 - beta1 ** step);
  const correction = 1 / Math.sqrt(1 - beta2 ** step);
  const [keep1, keep2] = [1 - beta1, 1 - beta2];
  const [powers1, powers2] = [new Powers(beta1), new Powers(beta2)];
  const decayNow = advance(rowState, step, Math.log1p(-learningRate * rateScale * weightDecay));
  const { rows } = gradients;
  const gradient = new Float64Array(width);

  for (let place = 0; place < rows.length; place++) {
    const row = rows[place] as number;
    const state = row * ROW_STATE;
    const skipped = step - (rowState[state] as number);
    const fade1 = powers1.at(skipped);
    const fade2 = powers2.at(skipped);
    const decay = Math.exp(decayNow - decayAt(rowState, state));
    writeRowState(rowState, state, step, decayNow);
    gradients.sumInto(gradient, place);
    const start = row * width;
    for (let i = 0; i < width; i++) {
      const g = (gradient[i] as number) * gradientScale;
      const m = fade1 * (firstMoment[start + i] as number) + keep1 * g;
      const v = fade2 * (secondMoment[start + i] as number) + keep2 * g * g;
      firstMoment[start + i] = m;
      secondMoment[start + i] = v;
      parameter[start + i] = (parameter[start + i] as number) * decay - (rate * m) / (Math.sqrt(v) * correction + epsilon);
    }
  }
}

/** Takes the table's own step and D on to this step, and returns D. */
function advance(rowState: Float32Array, step: number, decay: number): number {
  const own = rowState.length - ROW_STATE;
  const last = rowState[own] as number;
  if (step <= last) {
    throw new EngineError(
      `Step ${step} comes after step ${last}.`,
      'Steps of a model with lazy AdamW go up: import a checkpoint to go back.',
    );
  }
  writeRowState(rowState, own, step, decayAt(rowState, own) + decay);
  // As it was written, so that a resume, which reads it, goes on with the same number.
  return decayAt(rowState, own);
}

function decayAt(rowState: Float32Array, state: number): number {
  return (rowState[state + 1] as number) + (rowState[state + 2] as number);
}

function writeRowState(rowState: Float32Array, state: number, step: number, decay: number): void {
  const high = Math.fround(decay);
  rowState[state] = step;
  rowState[state + 1] = high;
  rowState[state + 2] = decay - high;
}

/** Powers of a beta, each computed once: most rows did not stand still for long. */
class Powers {
  private readonly known = new Float64Array(512);

  constructor(private readonly beta: number) {}

  at(exponent: number): number {
    if (exponent >= this.known.length) return this.beta ** exponent;
    const known = this.known[exponent] as number;
    return known === 0 ? (this.known[exponent] = this.beta ** exponent) : known;
  }
}
