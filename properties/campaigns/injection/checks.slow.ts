/**
 * Every self-check that can be left out is left out when it is: from the very same boot, the run with one of them is
 * another one than that with none, and the hypervisor executes more instructions an exit in it.
 */
import { describe, expect, it } from 'vitest';
import { CHECKS } from '../../../engine/index.ts';
import { bootSetup, goldenRun } from './golden.ts';
import { completeMechanism } from './mechanism.ts';
import { findSetup } from './setups.ts';

/** Guests that make errors on purpose, so that every check has something to look at. */
const booted = bootSetup(findSetup('1appvm-unixbench'), 1);

function run(checks?: readonly string[]) {
  const golden = goldenRun(booted, { ...completeMechanism('rehype'), checks });
  const { hypervisorInstructions: hypervisor, totalInstructions: total, vmExits } = golden;
  const symbols = booted.symbols.firmware;
  return { hypervisor, total, vmExits, word: symbols.loadAddress('lazarus_checks'), digest: golden.end.digest };
}

describe('self-checks', () => {
  const all = run();
  const none = run([]);

  it('cost nothing where they are off, M-mode included', () => {
    expect(none.hypervisor).toBeLessThan(0.95 * all.hypervisor);
    expect(none.total).toBeLessThan(0.95 * all.total);
  });

  it.each(CHECKS)('%s', (name) => {
    const perExit = ({ hypervisor, vmExits }: typeof all) => hypervisor / vmExits;
    const only = run([name]);
    expect([only.hypervisor, only.total]).not.toEqual([none.hypervisor, none.total]);
    // Looked at when a block is freed, which is seldom: another schedule makes more of a difference.
    if (name !== 'headers') expect(perExit(only)).toBeGreaterThan(perExit(none));
    expect(run([name])).toEqual(only);
  });
});
