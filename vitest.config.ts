import { defineConfig } from 'vitest/config';

/** Projects: `unit` beside the sources, `property` in properties/, `slow` for whole-machine runs, `peer` against other programs. */
export default defineConfig({
  test: {
    reporters: ['default', './scripts/tally-reporter.ts'],
    globalSetup: ['./scripts/ensure-built.ts'],
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{engine,replay,traces,tui,properties,scripts}/**/*.test.{ts,tsx}'],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'property',
          include: ['properties/**/*.prop.ts'],
          setupFiles: ['./properties/setup.ts'],
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'slow',
          include: ['{engine,replay,traces,tui,properties}/**/*.slow.{ts,tsx}'],
          testTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          // Needs Debian packages (binutils, QEMU, tmux, Chromium): run by .ci/run, not by `npm test`.
          name: 'peer',
          include: ['{engine,replay,traces,tui,properties}/**/*.peer.{ts,tsx}'],
          testTimeout: 180_000,
          // One after another: they share the folder of fetched packages, and QEMU's clock is the host's.
          fileParallelism: false,
        },
      },
    ],
  },
});
