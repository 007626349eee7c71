import { headWidth } from '../attentionShape';
import { resultingExperts, unitsPerToken } from '../moeShape';
import { atValue } from '../pathFinding';
import type { Spot } from '../pathFinding';
import { isProductKeyLayer, isRoutedLayer } from '../placement';
import type { ModelConfig } from '../schema';
import { mended, removing } from './remedies';
import type { Rule } from './rule';
import { violation } from './rule';

/** Values of one array that every engine can fill. */
const MOST_VALUES = 2 ** 32;

/** A parameter tensor: its factors in the words of the config, how many values they make, and where to change that. */
interface Factors {
  readonly of: string;
  readonly values: number;
  readonly spot: Spot;
}

/** The largest tensors of each kind. */
function tensors(model: ModelConfig): readonly Factors[] {
  const { d_model: d, vocabulary, attention, ffn, moe, product_keys: keys } = model;
  const width = headWidth(model);
  const at = (...path: string[]): Spot => atValue('model', ...path);
  const found: Factors[] = [
    { of: '`vocabulary` * `d_model`', values: vocabulary * d, spot: at('vocabulary') },
    {
      of: '`d_model` * `attention.heads` * `head_width`',
      values: d * attention.heads * width,
      spot: at('attention', attention.head_width === undefined ? 'heads' : 'head_width'),
    },
  ];
  if (
    Array.from({ length: model.layers }, (_, index) => index).some(
      (index) => !isRoutedLayer(model, index) && !isProductKeyLayer(model, index),
    )
  ) {
    found.push({ of: '`d_model` * `ffn.width`', values: d * ffn.width, spot: at('ffn', 'width') });
  }
  if (attention.moe) {
    const { experts } = attention.moe;
    found.push(
      {
        of: '`attention.heads` * `attention.moe.experts` * `d_model` * `head_width`',
        values: attention.heads * experts * d * width,
        spot: at('attention', 'moe', 'experts'),
      },
      {
        of: '`d_model` * `attention.heads` * `attention.moe.experts`',
        values: d * attention.heads * experts,
        spot: at('attention', 'moe', 'experts'),
      },
    );
  }
  if (keys) {
    found.push(
      { of: '`product_keys.experts` * `d_model`', values: keys.experts * d, spot: at('product_keys', 'experts') },
      {
        of: '`d_model` * `product_keys.heads` * `key_width`',
        values: d * keys.heads * keys.key_width,
        spot: at('product_keys', 'key_width'),
      },
      {
        of: '`product_keys.key_width` / 2 * the root of `experts`',
        values: (keys.key_width / 2) * Math.sqrt(keys.experts),
        spot: at('product_keys', 'key_width'),
      },
    );
  }
  if (moe) {
    const { experts, width: expertWidth } = resultingExperts(model, moe);
    const inputs = d / unitsPerToken(moe);
    const each = unitsPerToken(moe) === 1 ? '`d_model`' : '`d_model` / `heads`';
    const reduced = moe.router.type === 'cosine' ? moe.router.dimension : 0;
    found.push(
      { of: `experts * ${each} * expert width`, values: experts * inputs * expertWidth, spot: at('moe', 'experts') },
      { of: '`d_model` * `shared_width`', values: d * moe.shared_width, spot: at('moe', 'shared_width') },
      { of: `the router's \`dimension\` * ${each}`, values: reduced * inputs, spot: at('moe', 'router', 'dimension') },
      { of: "the router's `dimension` * experts", values: reduced * experts, spot: at('moe', 'router', 'dimension') },
    );
    if (moe.kind === 'mh-moe' && (moe.head_layer || moe.merge_layer)) {
      found.push({ of: '`d_model` * `d_model`', values: d * d, spot: at('d_model') });
    }
  }
  return found;
}

/** Such a model can be counted, but not trained: without `data` nobody means to. */
export const tensorSize: Rule = {
  code: 'tensor-size',
  severity: 'error',
  summary: `a model that is to be trained, with \`train\` and \`data\`, has a tensor of more than ${MOST_VALUES.toLocaleString('en-US')} values`,
  check({ experiment: { model, train, data } }) {
    if (!train || !data) return undefined;
    const largest = tensors(model).reduce((one, other) => (other.values > one.values ? other : one));
    if (largest.values <= MOST_VALUES) return undefined;
    return mended(
      violation(
        `A tensor of ${largest.of} = ${Math.round(largest.values).toLocaleString('en-US')} values is too large to be trained, with at most ${MOST_VALUES.toLocaleString('en-US')}; make it smaller, or leave out \`data\` to count the model only.`,
        largest.spot,
        atValue('model', 'd_model'),
      ),
      removing(['data']),
    );
  },
};
