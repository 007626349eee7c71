/** Every byte of the UTF-8 text is a token: nothing to train, nothing unknown, and bits per byte need no conversion. */
export const BYTE_VOCABULARY = 256;

export function encodeBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The text of tokens. A character cut at either end becomes U+FFFD. */
export function decodeBytes(tokens: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(tokens);
}
