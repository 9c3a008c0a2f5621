import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { guestPages, parseHgatp, spaOf, translateGuest, walkGStage } from './gstage.ts';
import { buildGStage, FakeMachine, hgatpOf, type PlannedMapping, RAM } from './testing.ts';

const RAM_BYTES = 2 << 20;
const ROOT = RAM + 0x4000;
const URWX = 0b11011111; // D A U X W R V
const SPACES = [
  { mode: 8, levels: 3, name: 'sv39x4' },
  { mode: 9, levels: 4, name: 'sv48x4' },
  { mode: 10, levels: 5, name: 'sv57x4' },
] as const;

/** Non-overlapping mappings inside the address space, of any level. */
const plans = (levels: number) =>
  fc
    .uniqueArray(
      fc.record({
        // The top index names a 1/2048 of the address space that one mapping has for itself; the rest is random.
        top: fc.integer({ min: 0, max: 2047 }),
        rest: fc.bigInt(0n, (1n << BigInt(12 + 9 * (levels - 1))) - 1n),
        level: fc.integer({ min: 0, max: Math.min(2, levels - 1) }),
        frame: fc.integer({ min: 0, max: 3 }),
        page: fc.integer({ min: 0, max: RAM_BYTES / 4096 - 1 }),
        flags: fc.constantFrom(0b10011, 0b10111, 0b11011, 0b11111, 0b1010011, URWX, 0b11001),
      }),
      { selector: ({ top }) => top, minLength: 1, maxLength: 12 },
    )
    .map((rows) =>
      rows.map(({ top, rest, level, frame, page, flags }): PlannedMapping => {
        const bits = BigInt(12 + 9 * level);
        const whole = (BigInt(top) << BigInt(12 + 9 * (levels - 1))) | rest;
        const gpa = (whole >> bits) << bits;
        return { gpa, level, flags, spa: level === 0 ? RAM + page * 4096 : frame * 4096 * 512 ** level };
      }),
    );

describe.each(SPACES)('$name', ({ mode, levels, name }) => {
  test.prop([plans(levels), fc.integer({ min: 1, max: 0x3fff }), fc.nat()])(
    'walking is the inverse of building, and translating agrees with walking',
    (plan, vmid, salt) => {
      const machine = new FakeMachine(RAM_BYTES);
      buildGStage(machine, levels, ROOT, plan);
      const hgatp = hgatpOf(mode, vmid, ROOT);
      const space = walkGStage(machine, hgatp);
      expect(space.problems).toEqual([]);
      expect(space.hgatp).toEqual({ mode: name, vmid, root: ROOT });
      const expected = plan
        .map(({ gpa, spa, level, flags }) => ({
          gpa,
          spa,
          sizeBytes: 4096 * 512 ** level,
          read: (flags & 2) !== 0,
          write: (flags & 4) !== 0,
          execute: (flags & 8) !== 0,
          accessed: (flags & 64) !== 0,
          dirty: (flags & 128) !== 0,
        }))
        .sort((a, b) => (a.gpa < b.gpa ? -1 : 1));
      expect(space.mappings).toEqual(expected);
      for (const mapping of expected) {
        const inside = mapping.gpa + BigInt(salt % mapping.sizeBytes);
        expect(translateGuest(machine, hgatp, inside)).toEqual(mapping);
        expect(spaOf(mapping, inside)).toBe(mapping.spa + (salt % mapping.sizeBytes));
      }
    },
  );
});

describe('a G-stage walk', () => {
  const hgatp = hgatpOf(8, 1, ROOT);
  const broken = (pte: bigint) => {
    const machine = new FakeMachine(RAM_BYTES);
    machine.writeU64(ROOT + 2 * 8, pte);
    return { found: walkGStage(machine, hgatp), hit: translateGuest(machine, hgatp, 0x8000_0000n) };
  };

  it('finds the page of a 64 KiB range (Svnapot) that an entry maps, with any memory type (Svpbmt)', () => {
    const machine = new FakeMachine(RAM_BYTES);
    const [gpa, base] = [0x8000_3000n, RAM + 0x10000];
    buildGStage(machine, 3, ROOT, [{ gpa, level: 0, flags: URWX, spa: base + 0x8000 }]);
    const leaf = walkGStage(machine, hgatp).tablePages.at(-1)! + 3 * 8;
    const entry = (low: number, high: bigint) => {
      machine.writeU64(leaf, (BigInt((base + low * 4096) / 4096) << 10n) | BigInt(URWX) | (high << 61n));
      return translateGuest(machine, hgatp, gpa);
    };
    expect(entry(8, 0b101n)).toMatchObject({ gpa, spa: base + 0x3000, sizeBytes: 4096 });
    expect(entry(8, 0b001n)).toMatchObject({ gpa, spa: base + 0x8000 });
    expect([entry(7, 0b100n), entry(8, 0b011n)]).toEqual([undefined, undefined]);
  });

  it.each([
    ['a table outside RAM', 0x10n << 10n, 'outside RAM'],
    ['a leaf without U', (0x80000n << 10n) | 0xen, 'without U'],
    ['write without read', (0x80000n << 10n) | 0x14n, 'writable but not readable'],
    ['a misaligned superpage', (0x80001n << 10n) | 0x1en, 'misaligned'],
    ['reserved bits', (1n << 60n) | (0x80000n << 10n) | 0x1en, 'reserved'],
    ['a table pointer with A', ((BigInt(RAM) >> 12n) << 10n) | 0x40n, 'U, A or D'],
  ])('reports %s and maps nothing there', (_what, pte, problem) => {
    const { found, hit } = broken(pte | 1n);
    expect(found.problems.join()).toContain(problem);
    expect(found.mappings).toEqual([]);
    expect(hit).toBeUndefined();
  });

  it('ends on tables that point to themselves', () => {
    const machine = new FakeMachine(RAM_BYTES);
    for (let at = 0; at < 16384; at += 8) machine.writeU64(ROOT + at, (BigInt(ROOT / 4096) << 10n) | 1n);
    const found = walkGStage(machine, hgatp);
    expect(found.mappings).toEqual([]);
    expect(found.problems.length).toBeGreaterThan(0);
  });

  it('knows bare and reserved modes', () => {
    const machine = new FakeMachine(RAM_BYTES);
    expect(parseHgatp(0n).mode).toBe('bare');
    expect(parseHgatp(3n << 60n).mode).toBe('reserved');
    expect(translateGuest(machine, 0n, BigInt(RAM + 0x1234))).toMatchObject({ spa: RAM + 0x1000 });
    expect(translateGuest(machine, 3n << 60n, BigInt(RAM))).toBeUndefined();
    expect(walkGStage(machine, 3n << 60n).mappings).toEqual([]);
  });

  it('refuses guest-physical addresses beyond 41 bits', () => {
    const machine = new FakeMachine(RAM_BYTES);
    buildGStage(machine, 3, ROOT, [{ gpa: 0n, level: 0, spa: RAM, flags: URWX }]);
    expect(translateGuest(machine, hgatp, 0xfffn)).toBeDefined();
    expect(translateGuest(machine, hgatp, 1n << 41n)).toBeUndefined();
  });

  it('lists the 4 KiB pages of a superpage, only those in RAM', () => {
    const machine = new FakeMachine(RAM_BYTES);
    buildGStage(machine, 3, ROOT, [{ gpa: 0x4000_0000n, level: 2, spa: 0x8000_0000, flags: URWX }]);
    const pages = guestPages(machine, walkGStage(machine, hgatp));
    expect(pages.size).toBe(RAM_BYTES / 4096);
    expect(pages.get(0x4000_3000n)).toBe(RAM + 0x3000);
  });
});

test.prop([
  fc.uint8Array({ minLength: 512, maxLength: 4096 }),
  fc.bigInt(0n, (1n << 64n) - 1n),
  fc.bigInt(0n, 1n << 60n),
])('no bytes make a walk throw', (noise, hgatp, gpa) => {
  const machine = new FakeMachine(256 << 10);
  for (let at = 0; at < machine.bytes.length; at += noise.length) {
    machine.bytes.set(noise.subarray(0, Math.min(noise.length, machine.bytes.length - at)), at);
  }
  const near = hgatpOf(8, 1, RAM);
  for (const value of [hgatp, near]) {
    const space = walkGStage(machine, value);
    expect(guestPages(machine, space).size).toBeLessThanOrEqual(1 << 20);
    translateGuest(machine, value, gpa);
  }
});
