import type { Experiment } from '../config/schema';
import { solve, type Choice, type ParityTarget } from '../parity/solver/solve';
import { contentOf } from './costCache';

/** As many of the solver's choices as are looked at, best first. */
const LOOKED_AT = 12;
/** A few lines of figures each; whoever types goes back and forth between a few texts. */
const MAXIMUM = 64;

/** The solver's choices by the content of both experiments: the same sizes are solved once, however often somebody looks at them. */
export class SolvedSizes {
  readonly #known = new Map<string, readonly Choice[]>();
  #solutions = 0;

  /** How often the solver was asked; tests hold it against how often it had to be. */
  get solutions(): number {
    return this.#solutions;
  }

  /** Best first; `withRouter` as in SolveOptions. */
  of(subject: Experiment, baseline: Experiment, target: ParityTarget, withRouter?: boolean): readonly Choice[] {
    const key = JSON.stringify([target, withRouter, contentOf(subject), baseline.model]);
    const known = this.#known.get(key);
    if (known !== undefined) {
      // What was asked for last is forgotten last.
      this.#known.delete(key);
      this.#known.set(key, known);
      return known;
    }
    this.#solutions += 1;
    const { choices } = solve(subject, baseline, { target, limit: LOOKED_AT, ...(withRouter === undefined ? {} : { withRouter }) });
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MAXIMUM && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(key, choices);
    return choices;
  }
}
