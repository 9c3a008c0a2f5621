/** Which set-ups make the hypervisor compare its own code because a guest was refused something, and which do not. */
import { expect, it } from 'vitest';
import { bootSetup, goldenRun } from './golden.ts';
import { completeMechanism } from './mechanism.ts';
import { findSetup } from './setups.ts';
import { goToTrigger } from './trigger.ts';

/** Functions that suspect, in a run without a fault, as often as they do; `obtain`: a new key of the store. */
function suspects(name: string): string[] {
  const run = goldenRun(bootSetup(findSetup(name)), completeMechanism('none'));
  const { machine, symbols } = run.booted;
  const callers: string[] = [];
  while (goToTrigger(run, { kind: 'symbol', symbol: 'suspect_sometimes', offset: 0, n: callers.length + 1 })) {
    const returns = machine.hart(machine.next().hart).x[1]!;
    callers.push(symbols.describe('HS', returns)?.replace(/\+.*/, '') ?? '?');
  }
  return callers;
}

it.each(['1appvm-quiet', '3appvm-quiet'])('no guest of %s is refused anything', (name) => {
  expect(new Set(suspects(name))).toEqual(new Set(['obtain']));
});

it('guests of 1appvm-unixbench are, so that this would be seen', () => {
  expect(suspects('1appvm-unixbench').filter((caller) => caller !== 'obtain').length).toBeGreaterThan(10);
});
