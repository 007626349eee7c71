import { mix } from '../permutation';

/**
 * Text of exactly known probability. A kind of text is a procedure that talks through a `Voice`: it says fixed text, and it picks from
 * prefix-free choices, no option being the beginning of another. What it says or offers next may depend on all it picked before.
 *
 * Such text can be decoded in one way only: wherever the procedure picks, at most one option fits what follows. So picks and text determine
 * each other, and by the chain rule -log p(text) is the sum of the picks' -log p, in nats. No model can code text drawn from it in fewer on
 * average.
 */
export interface Voice {
  say(text: string): void;
  /** Returns the index of the picked option, whose text has then been said. */
  pick(choice: Choice): number;
}

export interface Choice {
  readonly texts: readonly string[];
  /** Sums to 1. */
  readonly probabilities: readonly number[];
}

/** A choice between texts, uniform unless weights are given. Throws if an option is the beginning of another (or equal to it). */
export function choiceOf(texts: readonly string[], weights: readonly number[] = texts.map(() => 1)): Choice {
  const sorted = [...texts].sort();
  for (let at = 1; at < sorted.length; at++) {
    // After sorting, a text that begins another is followed directly by one that it begins.
    const [before, after] = [sorted[at - 1] ?? '', sorted[at] ?? ''];
    if (after.startsWith(before)) throw new Error(`"${before}" begins "${after}": the choice would be ambiguous.`);
  }
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return { texts, probabilities: weights.map((weight) => weight / total) };
}

/** Draws text: a pure function of its seed. */
export class Speaker implements Voice {
  private readonly parts: string[] = [];
  private drawn = 0;
  /** UTF-16 units said; the sample grammar is ASCII, so bytes as well. */
  length = 0;
  /** -log p of all picks so far. */
  nats = 0;

  constructor(private readonly seed: number) {}

  say(text: string): void {
    this.parts.push(text);
    this.length += text.length;
  }

  pick({ texts, probabilities }: Choice): number {
    const uniform = this.uniform();
    let index = 0;
    let below = probabilities[0] ?? 0;
    while (uniform >= below && index < texts.length - 1) below += probabilities[++index] ?? 0;
    this.nats -= Math.log(probabilities[index] ?? 0);
    this.say(texts[index] ?? '');
    return index;
  }

  get text(): string {
    return this.parts.join('');
  }

  /** In [0, 1), 53 bits. */
  private uniform(): number {
    const draw = this.drawn++;
    const high = mix(this.seed, draw, 0) >>> 5;
    const low = mix(this.seed, draw, 1) >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }
}

/**
 * Follows given text through the same procedure: the perfect model, which knows the grammar but not the picks. Throws where the text is not
 * of the kind.
 */
export class Listener implements Voice {
  private at = 0;
  nats = 0;

  constructor(private readonly text: string) {}

  get length(): number {
    return this.at;
  }

  say(text: string): void {
    if (!this.text.startsWith(text, this.at)) {
      throw new Error(`Expected "${text}" at ${this.at}, found "${this.text.slice(this.at, this.at + 20)}".`);
    }
    this.at += text.length;
  }

  pick({ texts, probabilities }: Choice): number {
    const index = texts.findIndex((text) => this.text.startsWith(text, this.at));
    if (index < 0) throw new Error(`None of the ${texts.length} options fits at ${this.at}: "${this.text.slice(this.at, this.at + 20)}".`);
    this.nats -= Math.log(probabilities[index] ?? 0);
    this.at += (texts[index] ?? '').length;
    return index;
  }
}
