import { atKey, atValue } from '../pathFinding';
import type { ModelConfig } from '../schema';
import { changing, mended, set } from './remedies';
import type { Rule } from './rule';
import { violation } from './rule';

/** A peak rate of AdamW that a source uses. */
interface UsedRate {
  readonly rate: number;
  /** Width of the model, where the rate is for one: rates of other widths go with 1 / sqrt(d_model). */
  readonly width?: number;
  readonly source: string;
}

const decoders: UsedRate = { rate: 6e-4, width: 768, source: '6e-4 at a width of 768 in the released code of 2411.16205' };
/** The same from width 412 to 1024. */
const switchHead: UsedRate = { rate: 2.5e-4, source: '2.5e-4 in 2312.07987' };
const masked: UsedRate = { rate: 1e-4, width: 768, source: '1e-4 at a width of 768 in BERT, 1810.04805' };
/** Own choice of the presets of 2407.04153, which prints none: few rows of the tables see each step. */
const productKeys: UsedRate = { rate: 1e-3, width: 768, source: '1e-3 at a width of 768 in the presets of 2407.04153' };
/** Quantised weights move only by large updates of those behind them; twice the usual is own choice. */
const bitnet: UsedRate = { rate: 1.2e-3, width: 768, source: 'twice that with BitNet, which takes larger rates, 2310.11453 section 2.2' };

/** Beyond what is used: 4 times as much often diverges, a tenth hardly learns in the same number of steps. */
const MOST_TIMES = 4;
const LEAST_TIMES = 1 / 10;

interface UsualRates {
  readonly least: number;
  readonly most: number;
  /** Of the architecture, first; what to begin with. */
  readonly usual: number;
  readonly sources: readonly string[];
}

/** Peak learning rates of AdamW that are usual for an architecture and width. */
function usualRates(model: ModelConfig): UsualRates {
  const used = [
    decoders,
    ...(model.attention.moe ? [switchHead] : []),
    ...(model.objective === 'masked' ? [masked] : []),
    ...(model.product_keys ? [productKeys] : []),
    ...(model.bitnet ? [bitnet] : []),
  ];
  const rates = used.map(({ rate, width }) => (width === undefined ? rate : rate * Math.sqrt(width / model.d_model)));
  return {
    least: readable(Math.min(...rates) * LEAST_TIMES),
    most: readable(Math.max(...rates) * MOST_TIMES),
    usual: readable(rates.at(-1) ?? decoders.rate),
    sources: used.map(({ source }) => source),
  };
}

function readable(rate: number): number {
  return Number(rate.toPrecision(2));
}

export const learningRateRange: Rule = {
  code: 'learning-rate-range',
  severity: 'warning',
  summary: '`learning_rate` is more than 4 times, or less than a tenth of, what is usual for the architecture and width',
  check({ experiment: { model, train }, states }) {
    if (!train) return undefined;
    const { least, most, usual, sources } = usualRates(model);
    const rate = train.learning_rate;
    if (rate >= least && rate <= most) return undefined;
    const stated = states('train', 'learning_rate');
    const consequence = rate > most ? 'a run may diverge, or seem worse than it is' : 'a run may seem worse than it is';
    const lowers = train.schedule !== 'constant' && train.min_learning_rate > usual;
    return mended(
      violation(
        `\`train.learning_rate\` ${stated ? rate : `is ${rate} where absent, which`} is outside of ${least} to ${most}, usual for AdamW at a width of ${model.d_model} (${sources.join('; ')}; other widths by 1 / sqrt(d_model)), so ${consequence}; use about ${usual}.`,
        atValue('train', 'learning_rate'),
        atKey('train'),
        atValue('model', 'd_model'),
      ),
      usual * (model.product_keys?.learning_rate_scale ?? 0) * train.weight_decay >= 1
        ? undefined
        : changing(
            `Set train.learning_rate to ${usual}`,
            set(['train', 'learning_rate'], usual),
            ...(lowers ? [set(['train', 'min_learning_rate'], readable(usual / 10))] : []),
          ),
    );
  },
};
