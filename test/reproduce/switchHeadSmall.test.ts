import { describe, expect, it } from 'vitest';
import { countedAtParity, switchHeadModels } from '../../reproduce/switchHeadSmall/models';
import { attentionFigures } from '../../reproduce/switchHeadSmall/cost';
import { plans } from '../../reproduce/switchHeadSmall/plan';
import { publishedBand } from '../../reproduce/switchHeadSmall/published';
import { Problem } from '../../reproduce/problem';

describe('the models of switchhead-small', () => {
  it('have equal parameters, to the unit where the feed-forward network can make up for the rest', () => {
    const models = countedAtParity(switchHeadModels(plans.small));
    expect(models.map(({ name }) => name)).toEqual(['Dense, 8 heads', 'Dense, 2 heads', 'SwitchHead, 2 heads']);
    expect(new Set(models.map(({ count }) => count.parameters.total)).size).toBe(1);
  });

  it('cost what the equations of 2312.07987 say: less than half of dense', () => {
    const [dense, , switchHead] = countedAtParity(switchHeadModels(plans.small)).map(({ count, model }) => attentionFigures(count, model));
    // n (4 T h d + 2 C T^2 h + 2 C T h d), n h = d = 96, T = 128, C = 2
    expect(dense?.equation.macs).toBe(4 * 128 * 96 * 96 + 4 * 128 ** 2 * 96 + 4 * 128 * 96 * 96);
    // n (2 T h d + 2 T k h (d + 1) + 2 C T^2 h + 2 C T h d), n = 2, h = 21, k = 2
    expect(switchHead?.equation.macs).toBe(2 * (2 * 128 * 21 * 96 + 4 * 128 * 21 * 97 + 4 * 128 ** 2 * 21 + 4 * 128 * 21 * 96));
    expect((switchHead?.script.macs ?? Number.NaN) / (dense?.script.macs ?? Number.NaN)).toBeCloseTo(0.4514, 4);
  });

  it('are refused where parameters differ by more than a thousandth', () => {
    const [dense, , switchHead] = switchHeadModels(plans.small);
    if (dense === undefined || switchHead === undefined) throw new Error('The models are there.');
    const { ffn, ...rest } = switchHead.model;
    expect(() => countedAtParity([dense, { ...switchHead, model: { ...rest, ffn: { ...ffn, width: ffn.width + 4 } } }])).toThrow(Problem);
  });

  it('are held against the ratios that the paper prints: Table 7, 10.00 to 10.17, and Table 2, 9.86 to 9.78', () => {
    expect(publishedBand()).toEqual({ least: 10 / 10.17, most: 9.86 / 9.78 });
  });
});
