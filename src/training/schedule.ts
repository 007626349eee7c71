import type { TrainConfig } from '../config/schema';

export type Schedule = Pick<TrainConfig, 'steps' | 'learning_rate' | 'min_learning_rate' | 'warmup' | 'schedule'>;

/**
 * The learning rate of a step, counted from 1 to `steps`. With peak p, minimum m, warm-up w and t = (step - w) / (steps - w):
 * - step <= w: p * step / w, linear from 0, reaching the peak at step w;
 * - cosine:    m + (p - m) (1 + cos(pi t)) / 2   (SGDR without restarts, 1608.03983, Eq. 5);
 * - linear:    p + (m - p) t;
 * - constant:  p.
 * So the last step has exactly m, unless constant. A warm-up as long as the training never falls.
 */
export function learningRateAt(step: number, { steps, learning_rate: peak, min_learning_rate: least, warmup, schedule }: Schedule): number {
  if (step <= warmup) return (peak * step) / warmup;
  const progress = (step - warmup) / (steps - warmup);
  switch (schedule) {
    case 'cosine':
      return least + ((peak - least) * (1 + Math.cos(Math.PI * progress))) / 2;
    case 'linear':
      return peak + (least - peak) * progress;
    case 'constant':
      return peak;
  }
}
