import type { Quantity } from '../../src/extension/panels/dashboard-protocol';
import { amount, percent, percentTick, perplexity, significant, tick } from '../shared/figures';

interface QuantityStyle {
  readonly title: string;
  readonly figure: (value: number | null) => string;
  /** The figure beside a tick of the axis. */
  readonly tick: (value: number) => string;
}

const orMissing = (value: number | null) => (value === null ? '–' : significant(value));
const orPercent = (share: number | null) => (share === null ? '–' : percent(share));
const plainTick = (value: number) => (Math.abs(value) < 0.01 ? significant(value) : tick(value));

/** How each quantity is called and written. */
export const quantityStyles: Readonly<Record<Quantity, QuantityStyle>> = {
  perplexity: { title: 'Perplexity', figure: perplexity, tick: plainTick },
  learningRate: { title: 'Learning rate', figure: orMissing, tick: plainTick },
  gradientNorm: { title: 'Gradient norm', figure: orMissing, tick: plainTick },
  balance: { title: 'Balance loss', figure: orMissing, tick: plainTick },
  zLoss: { title: 'Router z-loss', figure: orMissing, tick: plainTick },
  dropRate: { title: 'Dropped assignments', figure: orPercent, tick: percentTick },
  meanK: { title: 'Experts per unit', figure: orMissing, tick: plainTick },
  expertUsage: { title: 'Retrieved experts used', figure: orPercent, tick: percentTick },
  idleExperts: { title: 'Idle experts, worst layer', figure: orPercent, tick: percentTick },
  unevenness: { title: 'Unevenness of weights', figure: orMissing, tick: plainTick },
  tokensPerSecond: { title: 'Tokens per second', figure: amount, tick: plainTick },
};
