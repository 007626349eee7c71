import type { Quantity } from '../../src/extension/panels/dashboard-protocol';
import { amount, perplexity, significant } from '../shared/figures';

interface QuantityStyle {
  readonly title: string;
  readonly figure: (value: number | null) => string;
}

const orMissing = (value: number | null) => (value === null ? '–' : significant(value));

/** How each quantity is called and written. */
export const quantityStyles: Readonly<Record<Quantity, QuantityStyle>> = {
  perplexity: { title: 'Perplexity', figure: perplexity },
  learningRate: { title: 'Learning rate', figure: orMissing },
  gradientNorm: { title: 'Gradient norm', figure: orMissing },
  balance: { title: 'Balance loss', figure: orMissing },
  tokensPerSecond: { title: 'Tokens per second', figure: amount },
};
