/** Every byte of the UTF-8 text is a token: nothing to train, nothing unknown, and bits per byte need no conversion. */
export function encodeBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
