import { defineConfig } from 'vitest/config';

/**
 * Two kinds of tests: `unit` in the folders that mirror the sources, `e2e` for whole journeys over real HTTP.
 * The projects extend nothing: a project that did would start the run's PostgreSQL once more for itself.
 */
export default defineConfig({
  test: {
    globalSetup: 'tests/support/global-setup.ts',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/e2e/**'],
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
