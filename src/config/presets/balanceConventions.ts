/**
 * The balance weight of one layer for a coefficient of code whose loss is a mean over layers: here losses are summed over layers. Hugging
 * Face's sums over the k choices instead of averaging: pass the coefficient times k. It also pools the layers before it multiplies F by P,
 * of which this is the nearest form: the same where all layers have the same F and P.
 */
export function balanceOverLayers(coefficient: number, layers: number): number {
  return Number((coefficient / layers).toPrecision(6));
}
