/**
 * The balance weight of one layer for a coefficient of code that averages the loss over layers: here losses are summed over layers. Where
 * that code also sums over the k choices instead of averaging (Hugging Face), pass the coefficient times k.
 */
export function balanceOverLayers(coefficient: number, layers: number): number {
  return Number((coefficient / layers).toPrecision(6));
}
