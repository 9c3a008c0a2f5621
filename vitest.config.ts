import { defineConfig } from 'vitest/config';

/**
 * Tests are bounded by work (runs, instructions), never by time: they pass on a busy host. This is a guard against a
 * hang, so that a run that waits for ever ends with the name of its test.
 */
const HANG_GUARD_MS = 1_800_000;

/**
 * Projects: `unit` beside the sources, `property` in properties/, `slow` for whole-machine runs, `peer` against other
 * programs and the operating system (full disks, pipes, kill -9).
 */
export default defineConfig({
  test: {
    reporters: ['default', './scripts/tally-reporter.ts'],
    globalSetup: ['./scripts/ensure-built.ts'],
    maxWorkers: 2,
    testTimeout: HANG_GUARD_MS,
    hookTimeout: HANG_GUARD_MS,
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{engine,replay,traces,tui,properties,scripts}/**/*.test.{ts,tsx}'],
        },
      },
      {
        extends: true,
        test: {
          name: 'property',
          pool: 'threads',
          include: ['properties/**/*.prop.ts'],
          setupFiles: ['./properties/setup.ts'],
        },
      },
      {
        extends: true,
        test: {
          name: 'slow',
          pool: 'threads',
          include: ['{engine,replay,traces,tui,properties,scripts}/**/*.slow.{ts,tsx}'],
        },
      },
      {
        extends: true,
        test: {
          // Needs Debian packages (binutils, QEMU, tmux, zsh, fish, Chromium), or dozens of processes: run by .ci/run,
          // not by `npm test`.
          name: 'peer',
          include: ['{engine,replay,traces,tui,properties,scripts}/**/*.peer.{ts,tsx}'],
          // One after another: they share the folder of fetched packages, and QEMU's clock is the host's.
          fileParallelism: false,
        },
      },
    ],
  },
});
