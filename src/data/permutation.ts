/**
 * A seeded permutation of [0, size) that is computed point by point, without a table: a balanced Feistel network over the next even number
 * of bits, applied again while the result lies outside ("cycle walking", Black and Rogaway 2002). At most 2^32 elements.
 */
export function permute(index: number, size: number, key: number): number {
  if (!(index >= 0 && index < size && size <= 2 ** 32)) throw new RangeError(`Index ${index} is outside a permutation of ${size}.`);
  let half = 1;
  while (4 ** half < size) half++;
  let point = index;
  do point = feistel(point, half, key);
  while (point >= size);
  return point;
}

const ROUNDS = 8;

function feistel(point: number, half: number, key: number): number {
  const mask = 2 ** half - 1;
  let left = Math.floor(point / 2 ** half);
  let right = point % 2 ** half;
  for (let round = 0; round < ROUNDS; round++) {
    [left, right] = [right, (left ^ (mix(key, round, right) & mask)) >>> 0];
  }
  return left * 2 ** half + right;
}

/** A well-mixed unsigned 32-bit number from any count of integers: a pure function, so that every random choice can be made again. */
export function mix(...numbers: readonly number[]): number {
  let hash = 0x9e3779b9;
  for (const number of numbers) {
    // Both halves of integers beyond 32 bits count.
    hash = scramble(hash ^ number);
    if (number >= 2 ** 32) hash = scramble(hash ^ Math.floor(number / 2 ** 32));
  }
  return hash >>> 0;
}

/** The 32-bit finaliser of MurmurHash3 after a golden-ratio step, so that zero does not stay zero. */
function scramble(value: number): number {
  let x = (value + 0x9e3779b9) | 0;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
