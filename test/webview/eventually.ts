import { vi } from 'vitest';

/** Waits until the assertion holds; generous, since the machine may have more to do. */
export const eventually = (assertion: () => void | Promise<void>): Promise<void> =>
  vi.waitFor(assertion, { timeout: 60_000, interval: 50 });
