import { describe, expect, it } from 'vitest';
import { CHECKS, FIXUPS, UserError } from '../../../engine/index.ts';
import { bootSetup } from './golden.ts';
import {
  completeMechanism,
  formatChecks,
  formatEnhance,
  parseChecks,
  parseEnhance,
  parseRecovery,
  selectMechanism,
} from './mechanism.ts';
import { findSetup } from './setups.ts';

describe('mechanisms as text', () => {
  it('reads lists as the boot argument does', () => {
    expect(parseEnhance('all')).toEqual([...FIXUPS]);
    expect(parseEnhance('none')).toEqual([]);
    expect(parseEnhance('irq,locks')).toEqual(['locks', 'irq']);
    expect(parseEnhance('-locks')).toEqual(FIXUPS.filter((name) => name !== 'locks'));
    expect(parseEnhance('all,-locks,-irq')).toEqual(FIXUPS.filter((name) => name !== 'locks' && name !== 'irq'));
    for (const text of ['all', 'none', 'locks', 'locks,irq']) expect(formatEnhance(parseEnhance(text))).toBe(text);
  });

  it('reads checks the same way, all of them being no choice', () => {
    expect(parseChecks('all')).toBeUndefined();
    expect(parseChecks('none')).toEqual([]);
    expect(parseChecks('-code')).toEqual(CHECKS.filter((name) => name !== 'code'));
    for (const text of ['all', 'none', 'walks', 'code,walks']) expect(formatChecks(parseChecks(text))).toBe(text);
    expect(() => parseChecks('cod')).toThrow(
      /no check 'cod' \(did you mean code\?\): expected all, none, or a list of/,
    );
  });

  it('one list can name both: no check is called like an enhancement', () => {
    expect(new Set([...CHECKS, ...FIXUPS]).size).toBe(CHECKS.length + FIXUPS.length);
  });

  it('refuses what there is not', () => {
    expect(() => parseEnhance('lock')).toThrow(
      /no enhancement 'lock' \(did you mean locks\?\): expected all, none, or a list of locks,/,
    );
    expect(() => parseRecovery('xen')).toThrow(UserError);
    expect(() => findSetup('4appvm')).toThrow(/no set-up '4appvm' \(did you mean 3appvm\?\): expected one of compute/);
  });
});

describe('selecting a mechanism in a booted machine', () => {
  const booted = bootSetup(findSetup('compute'));

  it('writes what the firmware would have read from its command line', () => {
    const read = (name: string) => {
      const { machine, symbols } = booted;
      const at = symbols.firmware.address('options')! + symbols.firmware.absolutes('layout.options.').get(name)!;
      return new DataView(machine.readPhysical(Number(at), 8).buffer).getBigUint64(0, true);
    };
    const { machine } = booted;
    machine.restore(booted.up);
    // Booted without recovery= and enhance=: the firmware's defaults, which are ReHype with everything.
    const before = machine.digest();
    for (const event of selectMechanism(booted.symbols, completeMechanism('rehype'))) machine.apply(event);
    expect(machine.digest()).toBe(before);
    const mechanism = { recovery: 'nilihype', enhance: ['irq', 'locks'] } as const;
    for (const event of selectMechanism(booted.symbols, mechanism)) machine.apply(event);
    expect([read('recovery'), read('enhance')]).toEqual([2n, 3n]);
    const checks = () => {
      const at = Number(booted.symbols.firmware.loadAddress('lazarus_checks'));
      return new DataView(machine.readPhysical(at, 8).buffer).getBigUint64(0, true);
    };
    expect(checks()).toBe((1n << BigInt(CHECKS.length)) - 1n);
    for (const event of selectMechanism(booted.symbols, { ...mechanism, checks: ['copies', 'walks'] })) {
      machine.apply(event);
    }
    expect(checks()).toBe(0b1010n);
  });

  it('refuses enhancements and firmware that it does not know', () => {
    expect(() => selectMechanism(booted.symbols, { recovery: 'rehype', enhance: ['luck'] })).toThrow(/'luck'/);
    const { firmware, ...others } = booted.symbols;
    const stripped = { ...others, firmware: { ...firmware, loadAddress: () => undefined } };
    expect(() => selectMechanism(stripped, completeMechanism('none'))).toThrow(/no symbol 'options'/);
  });
});
