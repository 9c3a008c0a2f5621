/** The table of CSRs against the machine: each row means what it says. Rules that are no rows: csr.test.ts. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CSRS, type Csr } from '../isa/index.ts';
import { HART } from './layout/index.ts';
import { Bed } from './testbed.ts';

const ALL = 2n ** 64n - 1n;
const present = CSRS.filter(({ implementation }) => implementation !== undefined);
const row = (csr: Csr) => csr.implementation!;
const u64 = fc.bigInt({ min: 0n, max: ALL });
const seen = (csr: Csr, bits: bigint) => (bits & row(csr).visible) >> BigInt(row(csr).shift);

/** A machine on which nothing hides a bit. */
function opened(): Bed {
  const bed = new Bed({ ramBytes: 1 << 16 });
  for (const name of ['mideleg', 'hideleg', 'menvcfg']) bed.setCsr(name, ALL);
  return bed;
}

describe('each row', () => {
  const bed = opened();
  const masked = present.filter((csr) => row(csr).write === 'masked' && row(csr).source === 'state');
  test.each(masked.map((csr) => [csr.name, csr] as const))(
    '%s keeps of a write what is writable, and the rest as it was',
    (name, csr) => {
      const writable = seen(csr, row(csr).writable);
      fc.assert(
        fc.property(u64, (value) => {
          const before = bed.csr(name);
          bed.setCsr(name, value);
          expect(bed.csr(name)).toBe((before & ~writable) | (value & writable));
          bed.setCsr(name, before);
        }),
        { numRuns: 20, seed: 1 },
      );
    },
  );

  test.each(present.map((csr) => [csr.name, csr] as const))('%s lets no other bit change', (name, csr) => {
    const its = opened();
    const writable = row(csr).write === 'none' ? 0n : row(csr).writable;
    // SD follows FS.
    const follows = row(csr).source === 'status' ? 1n << 63n : 0n;
    for (const value of [ALL, 0n, 0x5555_5555_5555_5555n]) {
      const before = its.csr(name);
      its.setCsr(name, value);
      expect((its.csr(name) ^ before) & ~seen(csr, writable | follows)).toBe(0n);
    }
  });

  test.each(present.map((csr) => [csr.name, csr] as const))('%s has fields where software sees bits', (_name, csr) => {
    let taken = 0n;
    for (const { name, mask } of row(csr).fields) {
      expect([name, mask & ~seen(csr, ALL)]).toEqual([name, 0n]);
      expect([name, mask & taken]).toEqual([name, 0n]);
      taken |= mask;
    }
  });
});

test('twins are the VS copies, 0x100 above', () => {
  const twins = present.flatMap((csr) => (row(csr).twin === undefined ? [] : [[csr.number, row(csr).twin]]));
  expect(twins).toEqual(
    present.flatMap(({ number, name }) => {
      const copy = present.find((other) => other.name === `v${name}` && other.number === number + 0x100);
      return copy ? [[number, copy.name]] : [];
    }),
  );
  expect(twins).toHaveLength(10);
});

test('what the layout keeps as a CSR has a row', () => {
  const kept = HART.fields.filter(({ saved, doc }) => saved && /^CSR/.test(doc)).map(({ name }) => name);
  const rows = new Set(present.flatMap((csr) => [row(csr).state, row(csr).target]));
  expect(kept.filter((name) => !rows.has(name))).toEqual(['hgeie']);
});
