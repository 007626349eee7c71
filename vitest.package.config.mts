import { defineConfig } from 'vitest/config';

/** Checks of the package (VSIX) itself: what ships, and what does not. */
export default defineConfig({
  test: {
    include: ['test/package/**/*.spec.ts'],
    exclude: ['**/node_modules/**'],
    environment: 'node',
    globalSetup: ['test/package/globalSetup.mjs'],
    testTimeout: 60_000,
  },
});
