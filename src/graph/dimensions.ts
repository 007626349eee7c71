/**
 * Dimensions of tensor shapes. A dimension is a number, or a monomial of symbols such as `2*batch*time`,
 * so that one program serves every batch size. Routed rows (`routed/layers.1.moe`) are a symbol of their own:
 * how many rows a routed tensor really has is the lowering's choice (exactly units x k when dropless and sorted,
 * more when experts are padded to blocks).
 */
export type Dimension = number | string;
export type Shape = readonly Dimension[];

/** Values of the symbols, for example `{ batch: 8, time: 256 }`. */
export type Bindings = Readonly<Record<string, number>>;

interface Monomial {
  readonly coefficient: number;
  readonly symbols: readonly string[];
}

function parse(dimension: Dimension): Monomial {
  if (typeof dimension === 'number') return { coefficient: dimension, symbols: [] };
  let coefficient = 1;
  const symbols: string[] = [];
  for (const factor of dimension.split('*')) {
    const value = Number(factor);
    if (Number.isInteger(value)) coefficient *= value;
    else symbols.push(factor);
  }
  return { coefficient, symbols };
}

function format({ coefficient, symbols }: Monomial): Dimension {
  if (symbols.length === 0 || coefficient === 0) return coefficient;
  const sorted = [...symbols].sort();
  return (coefficient === 1 ? sorted : [String(coefficient), ...sorted]).join('*');
}

/** The product of dimensions in canonical form: coefficient first, symbols sorted. */
export function product(dimensions: Shape): Dimension {
  const parts = dimensions.map(parse);
  return format({
    coefficient: parts.reduce((total, part) => total * part.coefficient, 1),
    symbols: parts.flatMap((part) => part.symbols),
  });
}

/** The dimension's number under `bindings`. Throws a RangeError that names a symbol without a value. */
export function bindDimension(dimension: Dimension, bindings: Bindings): number {
  const { coefficient, symbols } = parse(dimension);
  return symbols.reduce((total, symbol) => {
    const value = bindings[symbol];
    if (value === undefined) throw new RangeError(`Dimension "${dimension}" needs a value for "${symbol}".`);
    return total * value;
  }, coefficient);
}

export function bindShape(shape: Shape, bindings: Bindings): number[] {
  return shape.map((dimension) => bindDimension(dimension, bindings));
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((dimension, axis) => dimension === b[axis]);
}

/** The number of elements of a bound shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((total, size) => total * size, 1);
}
