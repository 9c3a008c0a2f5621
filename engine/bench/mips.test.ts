/** The loop that is measured computes the same under two-stage translation as without any: fast, and right. */
import { expect, test } from 'vitest';
import { CONSTANTS } from '../core/layout/layout.ts';
import { boot, ENTER_INSTRUCTIONS } from './mips.ts';

const ROUND = 200_000;
/** a0–a5: what the loop computes. The other registers hold addresses, which differ. */
const COMPUTED = [10, 11, 12, 13, 14, 15];

test('two-stage translation changes no result', () => {
  const [translated, bare] = [true, false].map((isTranslated) => {
    const core = boot(isTranslated);
    core.setMachine('stopMoment', BigInt(ROUND + (isTranslated ? ENTER_INSTRUCTIONS : 0)));
    expect(core.arch.run()).toBe(CONSTANTS.STOP_MOMENT);
    expect([core.hart(0, 'virt'), core.hart(0, 'priv')]).toEqual(isTranslated ? [1n, 1n] : [0n, 3n]);
    return COMPUTED.map((n) => core.hart(0, 'x', n));
  });
  expect(translated).toEqual(bare);
  expect(translated?.[0]).not.toBe(1n);
});
