/**
 * Where cases come from: code, registers, CSRs, modes and address spaces, each biased towards what decides something.
 */
import fc from 'fast-check';
import { decode } from '../../../engine/index.ts';
import { type Case, type CaseMode, MODES, windowOf } from './case.ts';
import { POINTERS, RESERVATION, slots } from './instructions.ts';
import { ARENA_AT, HANDLER, PAGE, PAGES } from './layout.ts';
import { type Flaw, levelsOf, PTE, type Stage } from './page-tables.ts';
import { pmpEntries } from './pmp-regions.ts';

export interface Drawable {
  /** Values of satp.MODE and hgatp.MODE that both machines have, besides bare. */
  readonly satpModes: readonly number[];
  readonly hgatpModes: readonly number[];
}

const u64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

/** Cases for machines that have what `drawable` says. */
export function cases(drawable: Drawable): fc.Arbitrary<Case> {
  return fc
    .constantFrom(...MODES)
    .chain((mode) =>
      fc.record({
        mode: fc.constant(mode),
        satp: optional(stage(drawable.satpModes, mode, false), mode === 'HS' || mode === 'U' ? 3 : 1),
        vsatp: optional(stage(drawable.satpModes, mode, false), mode === 'VS' || mode === 'VU' ? 3 : 1),
        hgatp: optional(stage(drawable.hgatpModes, mode, true), mode === 'VS' || mode === 'VU' ? 3 : 1),
      }),
    )
    .map(keepToVsatp)
    .map(keepTables)
    .chain((space) =>
      fc.record({
        mode: fc.constant(space.mode),
        satp: fc.constant(space.satp),
        vsatp: fc.constant(space.vsatp),
        hgatp: fc.constant(space.hgatp),
        slots: code(space.mode),
        offset: fc.oneof(
          { weight: 5, arbitrary: fc.constant(0x100) },
          { weight: 1, arbitrary: fc.constantFrom(0xff8, 0xffc, 0xffe, 0xff6, 0x102) },
        ),
        x: registers(space),
        f: fc.array(fc.oneof(u64, floats), { minLength: 32, maxLength: 32 }),
        csrs: csrs(space),
        data: fc.array(value, { minLength: 12, maxLength: 24 }),
        pmp: hasUnset(space) ? fc.constant({}) : pmpEntries,
      }),
    )
    .map(({ pmp, ...its }) => ({ ...its, slots: sameWidth(its.slots), csrs: { ...its.csrs, ...pmp } }));
}

/** QEMU 7.2 sets A and D where PMP forbids stores: such leaves and random PMP entries are not drawn together. */
const hasUnset = (space: Space): boolean =>
  [space.satp, space.vsatp, space.hgatp].some(
    (its) =>
      its && (its.unset.some((bits) => bits !== 0n) || its.flaws.some(({ flip }) => flip === PTE.A || flip === PTE.D)),
  );

/**
 * Updates of A and D in VS-stage tables set D in the G-stage here, as the manual asks; on QEMU 7.2 they do not. So the
 * leaves of those tables have it.
 */
function keepTables(space: Space): Space {
  const { vsatp, hgatp } = space;
  if (!vsatp || !hgatp) return space;
  const unset = hgatp.level > 0 ? [] : hgatp.unset.map((bits, page) => (page < PAGES.vsatp ? bits : 0n));
  const flaws = hgatp.flaws.filter(({ flip }) => flip !== PTE.A && flip !== PTE.D);
  return { ...space, hgatp: { ...hgatp, unset, flaws } };
}

const WIDTH = 1 << 12;
/** QEMU 7.2 confuses LR and SC of different widths: all of a case have that of the first. */
function sameWidth(slots: readonly number[]): number[] {
  const reserving = (slot: number) => /^(lr|sc)\./.test(decode(slot)?.instruction.name ?? '');
  const width = (slots.find(reserving) ?? 0) & WIDTH;
  return slots.map((slot) => (reserving(slot) ? ((slot & ~WIDTH) | width) >>> 0 : slot));
}

const code = (mode: CaseMode) =>
  fc
    .integer({ min: 1, max: 24 })
    .chain((count) => fc.tuple(...Array.from({ length: count }, (_, index) => slots(mode, index, count))));

/** undefined, or `weight` times as often the value. */
const optional = <T>(arbitrary: fc.Arbitrary<T>, weight: number): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 1, arbitrary: fc.constant(undefined) }, { weight, arbitrary });

const edges = [0n, 1n, 2n, 0x80000000n, 0xffffffffn, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n - 2n];
/** Not where the board has devices and ROM, and QEMU flash and PCI too, should it be used as an address. */
const elsewhere = (at: bigint) => (at >= 0x1000n && at < 0x8000_0000n ? at + (1n << 40n) : at);
const value = fc.oneof(
  fc.constantFrom(...edges),
  fc.bigInt({ min: 0n, max: 255n }),
  u64,
  u64.map((x) => elsewhere(BigInt.asUintN(64, BigInt.asIntN(32, x)))),
);
/** Boxed singles and doubles with interesting exponents. */
const floats = fc.oneof(
  fc.constantFrom(
    0n,
    1n << 63n,
    0x3ff0000000000000n,
    0x7ff0000000000000n,
    0x7ff8000000000000n,
    0x7ff0000000000001n,
    1n,
    0x000fffffffffffffn,
  ),
  fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }).map((low) => (0xffffffffn << 32n) | low),
  fc.constantFrom(
    0xffffffff3f800000n,
    0xffffffff7f800000n,
    0xffffffff7fc00000n,
    0xffffffff7f800001n,
    0xffffffff00000001n,
    0xffffffff80000000n,
  ),
);

/**
 * HLV, HSV and MPRV meet the G-stage only: under vsatp QEMU 7.2 tells page faults from access faults by satp, and takes
 * SUM from sstatus.
 */
const keepToVsatp = (space: Space): Space =>
  space.mode === 'VS' || space.mode === 'VU' ? space : { ...space, vsatp: undefined };

type Space = Pick<Case, 'mode' | 'satp' | 'vsatp' | 'hgatp'>;

/** Offsets that make accesses aligned, misaligned, or cross a page. */
const inPage = fc.oneof(
  fc.constantFrom(0, 8, 16, 0xff0, 0xff8),
  fc.constantFrom(1, 2, 4, 0xff9, 0xffc, 0xffd, 0xffe, 0xfff),
  fc.integer({ min: 0, max: 0xfff }),
);
const pages = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: PAGES.data, max: PAGES.handlers - 1 }) },
  { weight: 1, arbitrary: fc.constantFrom(PAGES.handlers, PAGES.empty, PAGES.count) },
);

function pointer(space: Space): fc.Arbitrary<bigint> {
  const windows = [
    windowOf(space, space.mode),
    windowOf(space, 'VS'),
    BigInt(ARENA_AT),
    space.satp?.window ?? BigInt(ARENA_AT),
  ];
  const inside = fc
    .tuple(
      fc.oneof(
        { weight: 6, arbitrary: fc.constant(windows[0]!) },
        { weight: 2, arbitrary: fc.constantFrom(...windows) },
      ),
      pages,
      inPage,
    )
    .map(([window, page, offset]) => window + BigInt(page * PAGE + offset));
  const aligned = inside.map((at) => at & ~7n);
  const outside = fc.oneof(
    fc.constantFrom(0n, 0x8010_0000n, 1n << 38n, 1n << 39n, 1n << 41n, (1n << 64n) - 8n, 1n << 56n),
    // A canonical address with bits that are not.
    inside.map((at) => at ^ (1n << 50n)),
  );
  return fc
    .oneof({ weight: 8, arbitrary: aligned }, { weight: 6, arbitrary: inside }, { weight: 1, arbitrary: outside })
    .map((at) => BigInt.asUintN(64, at));
}

function registers(space: Space): fc.Arbitrary<bigint[]> {
  const pointers = new Set<number>(POINTERS);
  return fc.tuple(
    ...Array.from({ length: 32 }, (_, n) =>
      n === 0
        ? fc.constant(0n)
        : n === RESERVATION
          ? pointer(space).map((at) => at & ~7n)
          : pointers.has(n)
            ? pointer(space)
            : fc.oneof(value, status).map(elsewhere),
    ),
  );
}

/** One stage of address translation; most pages allow what the mode needs. */
function stage(modes: readonly number[], mode: CaseMode, gstage: boolean): fc.Arbitrary<Stage> {
  const user = gstage || mode === 'U' || mode === 'VU';
  return fc.constantFrom(...modes).chain((atp) => {
    const top = levelsOf(atp) - 1;
    return fc.record({
      mode: fc.constant(atp),
      window: window(top, gstage),
      level: fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.constantFrom(1, 2) }),
      flags: fc.tuple(...Array.from({ length: PAGES.count }, (_, page) => pageFlags(page, user, gstage))),
      unset: fc.oneof(
        { weight: 3, arbitrary: fc.constant([]) },
        { weight: 2, arbitrary: fc.array(fc.constantFrom(0n, 0n, PTE.A, PTE.D, PTE.A | PTE.D), EVERY_PAGE) },
      ),
      flaws: fc.oneof(
        { weight: 3, arbitrary: fc.constant([]) },
        { weight: 2, arbitrary: fc.array(flaw(top), { minLength: 1, maxLength: 2 }) },
      ),
    });
  });
}

const EVERY_PAGE = { minLength: PAGES.count, maxLength: PAGES.count };

/** QEMU 7.2 faults in the upper half of guest physical addresses, as if they were sign-extended: not drawn. */
function window(top: number, gstage: boolean): fc.Arbitrary<bigint> {
  const bits = 12 + 9 * (top + 1) + (gstage ? 2 : 0);
  const high = fc.oneof(
    fc.constant(2n),
    fc.bigInt({ min: 0n, max: (1n << BigInt(bits - 30 - (gstage ? 1 : 0))) - 1n }),
  );
  return high.map((drawn) => {
    // Not where QEMU has PCI: in M-mode, and without translation, the addresses are physical.
    const h = drawn === 1n || (drawn >= 16n && drawn < 32n) ? 2n : drawn;
    // The arena's place in a gigapage, so that gigapages map it onto itself.
    const at = (h << 30n) | 0x80_0000n;
    return gstage ? at : BigInt.asUintN(64, BigInt.asIntN(bits, at));
  });
}

const RWX = PTE.R | PTE.W | PTE.X;
/** In the G-stage X comes with R: QEMU 7.2 lets vsstatus.MXR count there, and for implicit reads. */
function pageFlags(page: number, user: boolean, gstage: boolean): fc.Arbitrary<bigint> {
  const u = user ? PTE.U : 0n;
  const odd = fc
    .bigInt({ min: 0n, max: 31n })
    .map((bits) => bits << 1n)
    .map((flags) => (gstage && flags & PTE.X ? flags | PTE.R : flags));
  if (page >= PAGES.data && page < PAGES.handlers)
    return fc.oneof({ weight: 5, arbitrary: fc.constant(RWX | u) }, { weight: 3, arbitrary: odd });
  // Handlers run in S-mode.
  if (page === PAGES.handlers) return fc.constant(RWX);
  return fc.oneof({ weight: 30, arbitrary: fc.constant(RWX | u) }, { weight: 1, arbitrary: odd });
}

/** Flips that make an entry invalid, of another kind, reserved, or pointing elsewhere. */
function flaw(top: number): fc.Arbitrary<Flaw> {
  const flip = fc.oneof(
    fc.constantFrom(PTE.V, PTE.R, PTE.W, PTE.X, PTE.U, PTE.G, PTE.R | PTE.X, PTE.W | PTE.R, PTE.A, PTE.D),
    fc.bigInt({ min: 54n, max: 63n }).map((bit) => 1n << bit),
    fc.constantFrom(1n << 8n, 3n << 8n),
  );
  // QEMU 7.2 raises page faults for tables that are no memory; the manual wants access faults. Only leaves go astray.
  const astray = fc.constantFrom(1n << 10n, 1n << 19n, 1n << 28n, 1n << 53n);
  const data = fc.integer({ min: PAGES.data, max: PAGES.handlers - 1 });
  return fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        level: fc.constant(0),
        page: fc.oneof(data, fc.constantFrom(PAGES.code, PAGES.vsatp)),
        flip,
      }),
    },
    { weight: 3, arbitrary: fc.record({ level: fc.integer({ min: 0, max: top }), page: data, flip }) },
    { weight: 1, arbitrary: fc.record({ level: fc.constant(0), page: data, flip: astray }) },
  );
}

const bits = (...names: number[]) => names.map((bit) => 1n << BigInt(bit));
const some = (candidates: readonly bigint[]) =>
  fc.subarray([...candidates]).map((chosen) => chosen.reduce((all, bit) => all | bit, 0n));

/** Bits of mstatus, sstatus and vsstatus that change what a case does. */
const STATUS = bits(1, 3, 5, 7, 8, 11, 12, 17, 18, 19, 20, 21, 22, 38, 39);
const status = some(STATUS);
/**
 * TVM and TSR are for HS-mode, but QEMU 7.2 heeds them in VS-mode too; MXR is for both stages, but there only for one.
 */
const OF_HS = (5n << 20n) | (1n << 19n);
const INTERRUPTS = bits(1, 2, 5, 6, 9, 10);
const vector = (space: Space, mode: CaseMode) =>
  fc
    .tuple(fc.constantFrom(HANDLER.escalate, HANDLER.skip, HANDLER.skip), fc.constantFrom(0n, 0n, 1n))
    .map(([entry, vectored]) => windowOf(space, mode) + BigInt(PAGES.handlers * PAGE + entry) + vectored);

/** Delegation never passes an ecall from HS-mode down: the handlers end with one. */
/** Together, because QEMU 7.2 confuses them (known.ts). */
const TOGETHER = [(1n << 20n) | (1n << 21n) | (1n << 23n), 0xf0n];
const MEDELEG = bits(0, 1, 2, 3, 8, 10, 12, 13, 15, 22).concat(TOGETHER);
/** Without 2 and 6, which QEMU 7.2 shows VS-mode as 1 and 5, as if they were interrupts. */
const HEDELEG = bits(0, 1, 3, 4, 5, 7, 8, 12, 13, 15);
const ENVCFG = bits(0, 63);
/** Set at reset, too; QEMU 7.2 has no such bit and acts as though it were set. */
const ADUE = 1n << 61n;
/** Off, initial, clean, mostly dirty. */
const FLOAT = fc
  .oneof({ weight: 8, arbitrary: fc.constant(3n) }, { weight: 3, arbitrary: fc.constantFrom(0n, 1n, 2n) })
  .map((fs) => fs << 13n);
const withFloat = (status: fc.Arbitrary<bigint>) => fc.tuple(status, FLOAT).map(([bits, fs]) => bits | fs);
const enabled = fc.oneof(fc.constant(0xffffffffn), fc.constant(0n), fc.bigInt({ min: 0n, max: 0xffffffffn }));
const asid = fc.oneof(
  fc.constant(0n),
  fc.bigInt({ min: 0n, max: 0x3fffn }).map((n) => n << 44n),
);
/** Nothing, most, or some. A fetch that fails in a handler's page and is delegated goes on until the time is up. */
const delegation = (candidates: readonly bigint[]) => {
  const most = candidates.reduce((all, bit) => all | bit, 0n) & ~0x1003n;
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant(0n) },
    { weight: 3, arbitrary: fc.constant(most) },
    { weight: 2, arbitrary: some(candidates).map((bits) => bits & most) },
    { weight: 1, arbitrary: some(candidates) },
  );
};

/** A third of the cases meets interrupts. */
function csrs(space: Space): fc.Arbitrary<Record<string, bigint>> {
  const configuration = fc.record({
    mstatus: withFloat(status.map((bits) => (space.mode[0] === 'V' ? bits & ~OF_HS : bits))),
    vsstatus: withFloat(some(bits(1, 5, 8, 18, 19))),
    hstatus: some(bits(6, 7, 8, 9, 20, 21, 22)),
    medeleg: delegation(MEDELEG),
    mideleg: delegation(INTERRUPTS),
    hedeleg: delegation(HEDELEG),
    hideleg: delegation(INTERRUPTS),
    stvec: vector(space, 'HS'),
    vstvec: vector(space, 'VS'),
    menvcfg: some(ENVCFG).map((bits) => bits | ADUE),
    henvcfg: some(ENVCFG).map((bits) => bits | ADUE),
    senvcfg: some(ENVCFG),
    mcounteren: enabled,
    hcounteren: enabled,
    scounteren: enabled,
    satp: asid,
    vsatp: asid,
    hgatp: asid,
    fcsr: fc.bigInt({ min: 0n, max: 255n }),
  });
  const interrupts = fc.record({
    mie: fc.constantFrom(...INTERRUPTS),
    mip: some(bits(1, 5, 9)),
    hvip: some(INTERRUPTS),
    stimecmp: fc.constantFrom(0n, (1n << 64n) - 1n),
    vstimecmp: fc.constantFrom(0n, (1n << 64n) - 1n),
  });
  const names = [
    'sscratch',
    'sepc',
    'scause',
    'stval',
    'vsscratch',
    'vsepc',
    'vscause',
    'vstval',
    'htval',
    'htimedelta',
  ];
  const plain = fc.record(
    Object.fromEntries(names.map((name) => [name, name.endsWith('epc') ? value.map(codeAddress) : value])) as Record<
      string,
      fc.Arbitrary<bigint>
    >,
  );
  const none = fc.constant<Record<string, bigint>>({});
  return fc
    .tuple(configuration, fc.oneof({ weight: 2, arbitrary: none }, { weight: 1, arbitrary: interrupts }), plain)
    .map((all) => Object.assign({}, ...all) as Record<string, bigint>)
    .map(keepToBoth);
}

/** Even, and not where QEMU has PCI. */
const codeAddress = (at: bigint) => elsewhere(at) & ~1n;

/** What QEMU 7.2 does with Sstc while STCE is clear is its own affair (known.ts). */
function keepToBoth(all: Record<string, bigint>): Record<string, bigint> {
  const STCE = 1n << 63n;
  const VSTIP = 1n << 6n;
  const henvcfg = (all.henvcfg ?? 0n) & ((all.menvcfg ?? 0n) | 1n | ADUE);
  const kept: Record<string, bigint> = { ...all, henvcfg };
  if (!((all.menvcfg ?? 0n) & STCE)) delete kept.stimecmp;
  else if (kept.hvip !== undefined) kept.hvip &= ~VSTIP;
  if (!(henvcfg & STCE)) delete kept.vstimecmp;
  return kept;
}
