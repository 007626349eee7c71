/** Softmax of `count` numbers read by `read`. */
export function softmaxOf(count: number, read: (index: number) => number): Float64Array {
  const values = Float64Array.from({ length: count }, (_, index) => read(index));
  const maximum = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const exponentials = values.map((value) => Math.exp(value - maximum));
  const total = exponentials.reduce((a, b) => a + b, 0);
  return exponentials.map((value) => value / total);
}
