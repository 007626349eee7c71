import { nearestMultiples, nearestThatFit } from '../divisibility';
import { atKey, atValue } from '../pathFinding';
import { isRoutedLayer, productKeyLayers } from '../placement';
import { layerListFindings } from './layerList';
import { changing, mended, remove, removing, set, setting } from './remedies';
import { most } from '../schemaBounds';
import type { Rule } from './rule';
import { violation } from './rule';
import { withoutEffect } from './withoutEffect';

const path = ['model', 'product_keys'] as const;

/** Expert i n + j has sub-key i of the first set of n and sub-key j of the second. */
export const squareExperts: Rule = {
  code: 'product-keys-experts',
  severity: 'error',
  summary: '`product_keys.experts` is no square number',
  check({ experiment: { model } }) {
    const { product_keys: keys } = model;
    if (!keys || Number.isInteger(Math.sqrt(keys.experts))) return undefined;
    const below = Math.floor(Math.sqrt(keys.experts));
    return mended(
      violation(
        `\`product_keys.experts\` ${keys.experts} is no square number, but every expert has one of n first and one of n second sub-keys; use ${below ** 2} = ${below} * ${below}, or ${(below + 1) ** 2} = ${below + 1} * ${below + 1}.`,
        atValue(...path, 'experts'),
      ),
      ...[below, below + 1]
        .filter((root) => root >= 1 && root ** 2 <= most.experts)
        .map((root) => setting([...path, 'experts'], root ** 2)),
    );
  },
};

export const retrievedAtMost: Rule = {
  code: 'product-keys-top-k',
  severity: 'error',
  summary: '`product_keys.top_k` is more than there are sub-keys of one kind, the square root of `experts`',
  check({ experiment: { model } }) {
    const { product_keys: keys } = model;
    if (!keys) return undefined;
    const each = Math.floor(Math.sqrt(keys.experts));
    if (keys.top_k <= each) return undefined;
    return mended(
      violation(
        `\`product_keys.top_k\` ${keys.top_k} is more than the ${each} sub-keys of each kind, of which a head takes its best \`top_k\`; use at most ${each}, or more \`heads\` or \`experts\`.`,
        atValue(...path, 'top_k'),
        atValue(...path, 'experts'),
      ),
      setting([...path, 'top_k'], each),
      keys.top_k ** 2 <= most.experts ? setting([...path, 'experts'], keys.top_k ** 2) : undefined,
    );
  },
};

export const evenKeyWidth: Rule = {
  code: 'product-keys-key-width',
  severity: 'error',
  summary: '`product_keys.key_width` is odd',
  check({ experiment: { model } }) {
    const { product_keys: keys } = model;
    if (!keys || keys.key_width % 2 === 0) return undefined;
    return mended(
      violation(
        `\`product_keys.key_width\` ${keys.key_width} is odd, but half of a query is for each of the two sub-keys; use ${nearestMultiples(keys.key_width, 2)}.`,
        atValue(...path, 'key_width'),
      ),
      ...nearestThatFit(keys.key_width, most.width, (width) => width % 2 === 0).map((width) => setting([...path, 'key_width'], width)),
    );
  },
};

export const productKeyLayerList: Rule = {
  code: 'product-keys-layers',
  severity: 'error',
  summary: '`product_keys.layers` names a layer that there is not, or one twice',
  check({ experiment: { model } }) {
    return layerListFindings('product_keys', model.product_keys?.layers, model.layers);
  },
};

export const routedTwice: Rule = {
  code: 'product-keys-routed',
  severity: 'error',
  summary: 'a layer is routed by `moe` and has product keys',
  check({ experiment: { model } }) {
    const both = productKeyLayers(model).filter((layer) => isRoutedLayer(model, layer));
    if (both.length === 0) return undefined;
    const rest = Array.from({ length: model.layers }, (_, index) => index).filter(
      (index) => isRoutedLayer(model, index) && !both.includes(index),
    );
    const named =
      both.length > 1 ? `Layers ${both.join(', ')} are routed by \`moe\` and have` : `Layer ${both.join('')} is routed by \`moe\` and has`;
    const use = rest.length > 0 ? `say \`moe.layers: [${rest.join(', ')}]\`` : 'remove `moe`';
    return mended(
      violation(
        `${named} product keys too, and each takes the place of the feed-forward network; ${use}, or choose other \`product_keys.layers\`.`,
        atValue(...path, 'layers'),
        atKey(...path),
        atKey('model', 'moe'),
      ),
      rest.length === 0
        ? removing(['model', 'moe'])
        : changing(
            `Set moe.layers to [${rest.join(', ')}]`,
            set(['model', 'moe', 'layers'], rest),
            ...(model.moe?.every === undefined ? [] : [remove(['model', 'moe', 'every'])]),
          ),
    );
  },
};

export const activationOfValues: Rule = {
  code: 'only-for-peer',
  severity: 'warning',
  summary: '`activation` is set, but the values of `kind: pkm` have none',
  check(input) {
    if (input.experiment.model.product_keys?.kind !== 'pkm') return undefined;
    return withoutEffect(input, path, ['activation'], {
      why: 'the values of `kind: pkm` are summed as they are',
      instead: 'use `kind: peer`',
      elsewhere: [atValue(...path, 'kind')],
    });
  },
};

/** The softmax of a single score is 1. */
export const singleRetrieved: Rule = {
  code: 'product-keys-top-1',
  severity: 'warning',
  summary: '`product_keys.top_k: 1` with `score: softmax`: every weight is 1, so queries and sub-keys learn nothing',
  check({ experiment: { model } }) {
    const { product_keys: keys } = model;
    if (!keys || keys.top_k > 1 || keys.score !== 'softmax') return undefined;
    return mended(
      violation(
        'With `product_keys.top_k: 1` and `score: softmax` every weight is 1, so queries and sub-keys learn nothing; use a `top_k` of at least 2, or `score: sigmoid`.',
        atValue(...path, 'top_k'),
        atValue(...path, 'score'),
      ),
      keys.experts >= 4 ? setting([...path, 'top_k'], 2) : undefined,
      setting([...path, 'score'], 'sigmoid'),
    );
  },
};

/** Retrieval is made for far more experts than a token retrieves: 2407.04153 has 128 of a million. */
const manyRetrievals = 4;

export const moreRetrievalsThanExperts: Rule = {
  code: 'product-keys-retrievals',
  severity: 'information',
  summary: `a token retrieves more than ${manyRetrievals} times as many experts of \`product_keys\`, \`heads\` * \`top_k\`, as there are`,
  check({ experiment: { model } }) {
    const { product_keys: keys } = model;
    if (!keys) return undefined;
    const { heads, top_k: k, experts } = keys;
    // Of a top_k beyond the sub-keys another rule speaks.
    if (heads * k <= manyRetrievals * experts || k > Math.sqrt(experts)) return undefined;
    return mended(
      violation(
        `With \`product_keys.heads\` ${heads} * \`top_k\` ${k} a token makes ${heads * k} retrievals from ${experts} experts, so on average each more than ${manyRetrievals} times, and a feed-forward network of width ${experts} would cost less; use more \`experts\`, or fewer \`heads\`.`,
        atValue(...path, 'heads'),
        atValue(...path, 'experts'),
      ),
      setting([...path, 'experts'], Math.ceil(Math.sqrt((heads * k) / manyRetrievals)) ** 2),
      Math.floor((manyRetrievals * experts) / k) >= 1 ? setting([...path, 'heads'], Math.floor((manyRetrievals * experts) / k)) : undefined,
    );
  },
};

/** Of one row the mean is the row: every normalised query is 0. */
export const normOfOneToken: Rule = {
  code: 'product-keys-one-token',
  severity: 'warning',
  summary: '`query_norm: batch` with microbatches of one token, whose normalised queries are all 0',
  check({ experiment: { model, train } }) {
    if (model.product_keys?.query_norm !== 'batch' || !train || train.micro_batch * model.context > 1) return undefined;
    return mended(
      violation(
        'With `product_keys.query_norm: batch` queries are normalised over the tokens of a microbatch, and one token alone becomes 0, whatever it is; use a larger `micro_batch` or `context`, or `query_norm: none`.',
        atValue(...path, 'query_norm'),
        atKey(...path),
        atValue('train', 'micro_batch'),
      ),
      setting([...path, 'query_norm'], 'none'),
    );
  },
};

export const quantisedTables: Rule = {
  code: 'product-keys-bitnet',
  severity: 'information',
  summary: '`bitnet` with `product_keys`, whose tables, queries and sub-keys stay full precision',
  check({ experiment: { model } }) {
    if (!model.bitnet || !model.product_keys) return undefined;
    return violation(
      '`bitnet` quantises attention and feed-forward networks; the experts, queries and sub-keys of `product_keys` stay full precision.',
      atKey('model', 'bitnet'),
      atKey(...path),
    );
  },
};
