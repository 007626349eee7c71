import { defineConfig } from 'vitest/config';

/** The end-to-end specs: one after the other, each file with its own VS Code server and browser. */
export default defineConfig({
  test: {
    include: ['test/e2e/specs/**/*.spec.ts'],
    exclude: ['**/node_modules/**'],
    environment: 'node',
    globalSetup: ['test/e2e/globalSetup.mjs'],
    // A spec that fails leaves the next ones of its file without their ground.
    bail: 0,
    fileParallelism: false,
    pool: 'forks',
    // Each wait has its own, shorter end, which says what was waited for: these are for a machine that is busy with other things as well.
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
});
