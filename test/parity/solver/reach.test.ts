import { describe, expect, it } from 'vitest';
import { presetOf } from '../../../src/config/presets/catalogue';
import { experimentSchema, type Experiment } from '../../../src/config/schema';
import { evenness } from '../../../src/parity/evenness';
import { reachOf, reachText } from '../../../src/parity/solver/reach';

const preset = (id: string): Experiment => experimentSchema.parse(presetOf(id)?.experiment);
const texts = (subject: string, baseline: string): readonly string[] => {
  const pair = [preset(subject), preset(baseline)] as const;
  return reachText(reachOf(...pair), ...pair);
};

describe('what whole numbers reach on both axes', () => {
  it.each([
    ['mh-moe/table-1/mh-moe-2', 'mh-moe/table-1/smoe'],
    ['mh-moe/table-1/fine-grained', 'mh-moe/table-1/smoe'],
    ['switchhead/c4-47m/switchhead', 'switchhead/c4-47m/dense-10'],
    ['switchhead/wikitext-103-262m/switchall', 'switchhead/wikitext-103-262m/dense-16'],
  ])('is both, so that nothing needs to be said: %s beside %s', (subject, baseline) => {
    expect(reachOf(preset(subject), preset(baseline))).toEqual({
      equal: { withoutRouter: true, withRouter: true, atOnce: true },
      closest: {},
    });
    expect(texts(subject, baseline)).toEqual([]);
  });

  it('is one of both for a dense model beside a sparse one: each alone, and at what price', () => {
    expect(texts('mh-moe/table-1/dense', 'mh-moe/table-1/smoe')).toEqual([
      'No sizes make both MACs and parameters equal. One of both is dense; the other uses a part of its parameters for each token.',
      'Closest in MACs: width 2048: MACs 0.00 % (−0.13 % with router), parameters −87.50 %',
      'Closest in parameters: width 9216: MACs +350.00 % (+349.71 % with router), parameters 0.00 % (−0.01 % with router)',
    ]);
  });

  it('is one way of counting for PEER beside a dense model, whose queries and keys are dear', () => {
    const reach = reachOf(preset('peer/n-512'), preset('peer/dense'));
    expect(reach.equal).toEqual({ withoutRouter: true, withRouter: true, atOnce: false });
    const { macs, parameters, withoutRouter, withRouter } = reach.closest;
    for (const axis of ['macs', 'parameters'] as const) {
      expect(withoutRouter && evenness(withoutRouter, axis)).toMatch(/^(without router|both ways)$/);
      expect(withRouter && evenness(withRouter, axis)).toMatch(/^(with router|both ways)$/);
    }
    expect(macs && evenness(macs, 'macs')).toBe('with router');
    expect(macs?.changes).toEqual({ 'model.product_keys.top_k': 277, 'model.product_keys.experts': 512 ** 2 });
    expect(parameters && evenness(parameters, 'parameters')).toBe('with router');
    const [first, ...lines] = texts('peer/n-512', 'peer/dense');
    expect(first).toMatch(/^MACs and parameters can be equal without what chooses experts or with it, not both\. /);
    expect(lines.map((line) => line.split(':')[0])).toEqual([
      'Equal without router',
      'Equal with router',
      'Closest in MACs',
      'Closest in parameters',
    ]);
  });

  it('of some keys alone is what those reach', () => {
    const [subject, baseline] = [preset('mh-moe/table-5/neither'), preset('mh-moe/table-1/smoe')];
    const reach = reachOf(subject, baseline, { keys: ['model.moe.experts'] });
    expect(reach.equal).toEqual({ withoutRouter: false, withRouter: false, atOnce: false });
    expect(reach.closest.macs).toBeUndefined();
    expect(Object.keys(reach.closest.parameters?.changes ?? {})).toEqual(['model.moe.experts']);
  });
});
