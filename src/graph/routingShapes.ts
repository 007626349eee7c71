import { product } from './dimensions';
import type { Primitive } from './primitives';
import type { ShapeRule } from './shapeChecks';
import {
  describe,
  float32,
  int32,
  last,
  likeInputs,
  numeric,
  operand,
  require,
  requireInt,
  requireSame,
  requireShape,
  unitsAndChoices,
  unitsOf,
} from './shapeChecks';

type Family =
  | 'topK'
  | 'allocateChoices'
  | 'countUntil'
  | 'firstChoices'
  | 'takeAlongLast'
  | 'scatterAlongLast'
  | 'countChoices'
  | 'withinCapacity'
  | 'expertChoice'
  | 'route'
  | 'permute'
  | 'unpermute'
  | 'expertMatmul'
  | 'expertMatmulGradient'
  | 'combine'
  | 'combineGradient';

/** Shapes of choosing experts and of running those chosen. */
export const routingShapeRules: { readonly [P in Extract<Primitive, Family>]: ShapeRule<P> } = {
  topK: ({ k, groups }, inputs) => {
    const { shape } = operand(inputs, 0);
    require(shape.length === 2, () => `topK needs [units, columns], not ${describe(shape)}.`);
    const columns = numeric(last(shape, 0));
    require(groups >= 1 && columns % groups === 0, () => `topK cannot split ${columns} columns into ${groups} equal sections.`);
    require(k >= 1 && k <= columns / groups, () => `topK cannot choose ${k} of ${columns / groups}.`);
    return [int32([last(shape, 1), groups * k])];
  },
  allocateChoices: ({ mean, least, most }, inputs) => {
    const { shape } = operand(inputs, 0);
    require(shape.length === 2, () => `allocateChoices needs [batch, time], not ${describe(shape)}.`);
    require(Number.isInteger(least) && Number.isInteger(most), () => `allocateChoices needs whole bounds, not ${least} and ${most}.`);
    require(0 < least && least <= mean && mean <= most, () =>
      `allocateChoices needs 0 < least <= mean <= most, not ${least}, ${mean}, ${most}.`);
    return [int32([product(shape), 1])];
  },
  countUntil: (_, inputs) => {
    const { shape } = operand(inputs, 0);
    require(shape.length === 2, () => `countUntil needs [units, choices], not ${describe(shape)}.`);
    return [int32([last(shape, 1), 1])];
  },
  firstChoices: (_, inputs) => {
    const [indices, taken] = [operand(inputs, 0), operand(inputs, 1)];
    const [units] = unitsAndChoices(indices, 'firstChoices indices');
    requireInt(taken, 'firstChoices taken');
    requireShape(taken, [units, 1], 'firstChoices taken');
    return [int32(indices.shape), float32(indices.shape)];
  },
  takeAlongLast: (_, inputs) => {
    const x = operand(inputs, 0).shape;
    const indices = operand(inputs, 1);
    const units = unitsOf(indices, 'takeAlongLast indices');
    require(x.length === 2 && last(x, 1) === units, () => `takeAlongLast: ${describe(x)} and ${describe(indices.shape)} differ in units.`);
    return [float32(indices.shape)];
  },
  scatterAlongLast: ({ size }, inputs) => {
    const indices = operand(inputs, 0);
    const units = unitsOf(indices, 'scatterAlongLast indices');
    requireSame(indices, operand(inputs, 1), 'scatterAlongLast');
    return [float32([units, size])];
  },
  countChoices: ({ experts, choices }, inputs) => {
    const [, k] = unitsAndChoices(operand(inputs, 0), 'countChoices indices');
    require(choices >= 1 && choices <= k, () => `countChoices cannot count ${choices} of ${k} choices.`);
    return [float32([experts])];
  },
  withinCapacity: ({ experts, factor }, inputs) => {
    const indices = operand(inputs, 0);
    unitsAndChoices(indices, 'withinCapacity indices');
    require(factor > 0 && experts >= 1, () => `withinCapacity needs a positive factor and an expert, not ${factor} and ${experts}.`);
    return [float32(indices.shape)];
  },
  expertChoice: ({ k, capacity }, inputs) => {
    const { shape } = operand(inputs, 0);
    require(shape.length === 2, () => `expertChoice needs [units, experts], not ${describe(shape)}.`);
    const experts = numeric(last(shape, 0));
    require(k > 0 && k <= experts, () => `expertChoice cannot let ${k} of ${experts} experts choose a unit.`);
    return [int32([experts, capacity])];
  },
  route: ({ experts, rows, share }, inputs) => {
    const indices = operand(inputs, 0);
    unitsAndChoices(indices, 'route indices');
    require(share > 0 && share <= 1, () => `route needs a share of its pairs in (0, 1], not ${share}.`);
    return [int32(indices.shape), int32([rows]), int32([experts])];
  },
  permute: (_, inputs) => {
    const x = operand(inputs, 0).shape;
    const [units] = unitsAndChoices(operand(inputs, 1), 'permute slots');
    require(x.length === 2 && last(x, 1) === units, () => `permute: ${describe(x)} has other units than its slots.`);
    return [float32([last(operand(inputs, 2).shape, 0), last(x, 0)])];
  },
  unpermute: (_, inputs) => {
    const y = operand(inputs, 0).shape;
    const [units] = unitsAndChoices(operand(inputs, 1), 'unpermute slots');
    return [float32([units, last(y, 0)])];
  },
  expertMatmul: ({ transposeWeight }, inputs) => {
    const x = operand(inputs, 0).shape;
    const weight = operand(inputs, 1).shape;
    require(x.length === 2 && weight.length === 3, () =>
      `expertMatmul needs [rows, in] and [E, in, out], not ${describe(x)} and ${describe(weight)}.`);
    const [inner, columns] = transposeWeight ? [last(weight, 0), last(weight, 1)] : [last(weight, 1), last(weight, 0)];
    require(last(x, 0) === inner, () => `expertMatmul: ${describe(x)} does not fit weights ${describe(weight)}.`);
    return [float32([last(x, 1), columns])];
  },
  expertMatmulGradient: (_, inputs) => {
    const x = operand(inputs, 0).shape;
    const g = operand(inputs, 1).shape;
    return [float32([last(operand(inputs, 2).shape, 0), last(x, 0), last(g, 0)])];
  },
  combine: (_, inputs) => {
    requireSame({ ...operand(inputs, 1), dtype: 'int32' }, operand(inputs, 2), 'combine weights and slots');
    return [float32([last(operand(inputs, 1).shape, 1), last(operand(inputs, 0).shape, 0)])];
  },
  combineGradient: likeInputs(0, 1),
};
