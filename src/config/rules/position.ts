import { hasPairs, headWidth, rotatedChannels } from '../attentionShape';
import { nearestMultiples, nearestThatFit } from '../divisibility';
import { atKey, atValue } from '../pathFinding';
import { hasRoutedLayer } from '../placement';
import type { Remedy } from '../remedy';
import type { Experiment, ModelConfig } from '../schema';
import { changing, mended, remove, removing, set, setting } from './remedies';
import { most } from '../schemaBounds';
import type { Rule } from './rule';
import { routerPath, violation } from './rule';
import { withoutEffect } from './withoutEffect';

const position = atValue('model', 'attention', 'position');

/** The usual positions, where heads are as rope needs them. */
export function rotating(model: ModelConfig): Remedy | undefined {
  return hasPairs(model) ? setting(['model', 'attention', 'position'], 'rope') : undefined;
}

export const rotationWithoutRope: Rule = {
  code: 'only-for-rope',
  severity: 'warning',
  summary: '`rope_base` or `rope_share` is set, but only `position: rope` rotates',
  check(input) {
    const { position: encoding } = input.experiment.model.attention;
    if (encoding === 'rope') return undefined;
    return withoutEffect(input, ['model', 'attention'], ['rope_base', 'rope_share'], {
      why: `there is no rotation with \`position: ${encoding}\``,
      instead: 'use `position: rope`',
      elsewhere: [atKey('model', 'attention', 'position')],
    });
  },
};

export const nothingRotated: Rule = {
  code: 'rope-share',
  severity: 'warning',
  summary: '`rope_share` is less than two channels of a head, so that none is rotated and attention knows no positions',
  check({ experiment: { model } }) {
    const width = headWidth(model);
    if (model.attention.position !== 'rope' || !Number.isInteger(width) || rotatedChannels(model) > 0) return undefined;
    // A head of one channel is odd, which another rule refuses.
    if (model.attention.rope_share === 1) return undefined;
    const least = width < 2 ? 'wider heads' : `at least ${Math.ceil((2 / width) * 1000) / 1000}`;
    return mended(
      violation(
        `\`attention.rope_share\` ${model.attention.rope_share} of a head that is ${width} wide is less than a pair of channels, so nothing is rotated and attention knows no positions; use ${least}, or say \`position: none\`.`,
        atValue('model', 'attention', 'rope_share'),
        atValue('model', 'attention', 'head_width'),
        atValue('model', 'attention', 'heads'),
      ),
      width < 2 ? undefined : setting(['model', 'attention', 'rope_share'], Math.min(1, Math.ceil((2 / width) * 1000) / 1000)),
      changing(
        'Set attention.position to none and remove rope_share',
        set(['model', 'attention', 'position'], 'none'),
        remove(['model', 'attention', 'rope_share']),
      ),
    );
  },
};

/** The cache holds what came before: an encoder, which sees both sides, has no such side. */
export const relativeOfMasked: Rule = {
  code: 'xl-masked',
  severity: 'error',
  summary: '`position: xl` with `objective: masked`',
  check({ experiment: { model } }) {
    if (model.attention.position !== 'xl' || model.objective !== 'masked') return undefined;
    return mended(
      violation(
        '`position: xl` is for `objective: causal`: its distances and its cache reach back only, and an encoder sees both sides; use `position: rope` or `none`.',
        position,
        atValue('model', 'objective'),
      ),
      rotating(model),
      setting(['model', 'attention', 'position'], 'none'),
    );
  },
};

/** Half of the channels of a sinusoid are sines, half cosines. */
export const relativeOfOddWidth: Rule = {
  code: 'xl-odd-width',
  severity: 'error',
  summary: 'with `position: xl` `d_model` must be even',
  check({ experiment: { model } }) {
    if (model.attention.position !== 'xl' || model.d_model % 2 === 0) return undefined;
    return mended(
      violation(
        `With \`position: xl\` \`model.d_model\` ${model.d_model} must be even, because half of the channels of a position are sines and half cosines; use ${nearestMultiples(model.d_model, 2)}.`,
        atValue('model', 'd_model'),
        position,
      ),
      ...nearestThatFit(
        model.d_model,
        most.width,
        (width) =>
          width % 2 === 0 &&
          (model.attention.head_width !== undefined || width % model.attention.heads === 0) &&
          (model.moe?.kind !== 'mh-moe' || width % model.moe.heads === 0),
      ).map((width) => setting(['model', 'd_model'], width)),
    );
  },
};

/**
 * Validation goes on from window to window, and fills up the last one: nothing before the filling sees it, unless experts or places are
 * shared out.
 */
export const relativePadding: Rule = {
  code: 'xl-padding',
  severity: 'warning',
  summary:
    '`position: xl` with `select: expert_choice` or `capacity_in_evaluation`, where the padding of the last window of a text takes part',
  check({ experiment }) {
    const { model } = experiment;
    if (model.attention.position !== 'xl' || !hasRoutedLayer(model)) return undefined;
    const key = sharesOutPlaces(experiment);
    if (key === undefined) return undefined;
    return mended(
      violation(
        `With \`position: xl\` the last window of a validation text is filled up, and with \`${key}\` the filling competes with the text for places in experts, which changes the perplexity of that window; use \`select: top_k\` without a capacity in evaluation, or \`position: rope\`.`,
        position,
        atKey(...routerPath, key === 'capacity_in_evaluation' ? key : 'select'),
      ),
      key === 'capacity_in_evaluation' ? removing([...routerPath, key]) : undefined,
      rotating(model),
    );
  },
};

function sharesOutPlaces({ model }: Experiment): 'select: expert_choice' | 'capacity_in_evaluation' | undefined {
  const router = model.moe?.router;
  if (router?.select === 'expert_choice') return 'select: expert_choice';
  return router?.capacity_factor !== undefined && router.capacity_in_evaluation ? 'capacity_in_evaluation' : undefined;
}
