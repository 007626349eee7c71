import { atKey, atValue } from '../pathFinding';
import { DEFAULT_EVERY, hasRoutedLayer } from '../placement';
import { layerListFindings } from './layerList';
import { mended, removing, setting } from './remedies';
import type { Rule } from './rule';
import { violation } from './rule';

export const everyAndLayers: Rule = {
  code: 'every-and-layers',
  severity: 'error',
  summary: '`every` and `layers` both say which layers are routed',
  check({ experiment: { model } }) {
    if (model.moe?.every === undefined || model.moe.layers === undefined) return undefined;
    return mended(
      violation(
        '`moe.every` and `moe.layers` both say which layers are routed; keep one of them (in a variant, an empty `every:` takes away what its base says).',
        atKey('model', 'moe', 'layers'),
        atKey('model', 'moe', 'every'),
      ),
      removing(['model', 'moe', 'every']),
      removing(['model', 'moe', 'layers']),
    );
  },
};

export const routedLayerList: Rule = {
  code: 'routed-layers',
  severity: 'error',
  summary: '`layers` names a layer that there is not, or one twice',
  check: ({ experiment: { model } }) => layerListFindings('moe', model.moe?.layers, model.layers),
};

/** Layers every-1, 2 every-1, ... are routed, counted from 0. */
export const noRoutedLayer: Rule = {
  code: 'no-routed-layer',
  severity: 'warning',
  summary: '`every` is more than `layers`, so no layer is routed',
  check({ experiment: { model } }) {
    const { moe } = model;
    if (!moe || moe.layers !== undefined || hasRoutedLayer(model)) return undefined;
    const every = moe.every ?? DEFAULT_EVERY;
    const where = model.layers === 1 ? '1 layer there is' : `${model.layers} layers there are`;
    const stated = moe.every === undefined ? `is ${DEFAULT_EVERY} where absent,` : `${every} is`;
    return mended(
      violation(
        `\`moe.every\` ${stated} more than the ${where}, so no layer is routed; use at most ${model.layers}, or remove \`moe\`.`,
        atValue('model', 'moe', 'every'),
        atKey('model', 'moe'),
        atValue('model', 'layers'),
      ),
      model.product_keys ? undefined : setting(['model', 'moe', 'every'], Math.min(DEFAULT_EVERY, model.layers)),
      removing(['model', 'moe']),
    );
  },
};

export const topK: Rule = {
  code: 'top-k',
  severity: 'error',
  summary: '`top_k` is more than `experts`',
  check({ experiment: { model } }) {
    const { moe } = model;
    if (!moe || moe.top_k <= moe.experts) return undefined;
    return mended(
      violation(
        `\`moe.top_k\` ${moe.top_k} is more than the ${moe.experts} experts there are; use at most ${moe.experts}.`,
        atValue('model', 'moe', 'top_k'),
        atValue('model', 'moe', 'experts'),
      ),
      moe.router.select === 'dynamic' && moe.router.k_min > moe.experts ? undefined : setting(['model', 'moe', 'top_k'], moe.experts),
      setting(['model', 'moe', 'experts'], moe.top_k),
    );
  },
};
