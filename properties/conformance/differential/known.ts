/**
 * What the two machines are known to do differently, each with its reason: instructions that are not drawn, CSRs and
 * fields that are not compared. Everything else must agree.
 */

import { CSRS, decode, expressionsOf, parts } from '../../../engine/index.ts';
import type { CaseMode } from './case.ts';

interface KnownCsr {
  readonly names: RegExp;
  /**
   * What code does not do with it: look at its `value`, `write` it, or any `access`. Set-ups draw values of their own.
   */
  readonly avoid: 'value' | 'write' | 'access';
  /** Bits of a recorded value that are compared; without it the CSR is not recorded. */
  readonly compared?: bigint;
  readonly reason: string;
}

const SATP = 0x180;
const LOW_32 = 0xffffffffn;
/** sstatus without VS, XS and SD: SIE, SPIE, SPP, FS, SUM, MXR, UXL. */
const STATUS = (3n << 32n) | 0xc6122n;
const GVA = 1n << 38n;
/** mstatus.VS, and SD that follows it. */
const VS_FIELD = (1n << 63n) | 0x600n;

const KNOWN_CSRS: readonly KnownCsr[] = [
  {
    names: /^(m?cycle|m?instret|time|m?hpmcounter([3-9]|1[0-8]))$/,
    avoid: 'value',
    reason: 'counts time or instructions, which are real on QEMU',
  },
  {
    names: /^(m?hpmcounter(19|2\d|3[01])|mhpmevent\d+)$/,
    avoid: 'access',
    reason: 'QEMU has 16 counters with events, ours all 29 of them, hardwired to zero',
  },
  { names: /^(marchid|mimpid)$/, avoid: 'value', reason: 'QEMU has its version there' },
  {
    names: /^(tselect|tdata\d|tinfo|tcontrol|[msh]context|dcsr|dpc|dscratch\d)$/,
    avoid: 'access',
    reason: 'our machine has no triggers: their registers are hardwired',
  },
  {
    names: /^(m|s|h|vs)ie$/,
    avoid: 'write',
    compared: -1n,
    reason: 'of several interrupts QEMU 7.2 takes the lowest number, not the highest priority; set-ups enable one',
  },
  {
    names: /^(vs|s)ip$/,
    avoid: 'value',
    compared: 2n,
    reason: 'QEMU 7.2 shows no more of vsip than can be written, SSIP',
  },
  {
    names: /^(hvip|hip)$/,
    avoid: 'write',
    compared: -1n,
    reason: 'QEMU 7.2 takes hvip.VSTIP for read-only once menvcfg.STCE is set; set-ups keep to what both do',
  },
  {
    names: /^[mv]?s?cause$/,
    avoid: 'value',
    compared: -1n,
    reason: 'causes that are known to differ must not spread into registers',
  },
  {
    names: /^medeleg$/,
    avoid: 'value',
    compared: ~0x800n,
    reason: 'QEMU 7.2 delegates ecalls from M-mode, which never are',
  },
  { names: /^sstatus$/, avoid: 'value', compared: STATUS, reason: 'QEMU 7.2 has a VS field without vectors' },
  { names: /^vsatp$/, avoid: 'write', compared: -1n, reason: 'QEMU 7.2 takes unsupported modes there' },
  {
    names: /^mcountinhibit$/,
    avoid: 'value',
    compared: 5n,
    reason: 'QEMU 7.2 keeps bits of counters that it does not have',
  },
  {
    names: /^(mtval2|htval)$/,
    avoid: 'value',
    compared: -1n,
    reason: 'QEMU 7.2 keeps older addresses there; see also below',
  },
  { names: /^vstvec$/, avoid: 'write', compared: -1n, reason: 'QEMU 7.2 takes reserved vector modes there' },
  { names: /^mtvec$/, avoid: 'access', reason: 'the harness would lose control' },
  { names: /^mscratch$/, avoid: 'value', reason: 'the harness uses it' },
  { names: /^(pmpcfg\d+|pmpaddr\d+)$/, avoid: 'access', compared: -1n, reason: 'a locked entry outlives the case' },
  { names: /^[mh]tinst$/, avoid: 'access', compared: -1n, reason: 'QEMU 7.2 ignores writes to htinst; see also below' },
  {
    names: /^henvcfg$/,
    avoid: 'access',
    compared: (1n << 63n) | 1n,
    reason: 'QEMU 7.2 shows STCE, and heeds it, while menvcfg.STCE is clear; set-ups keep to what both do',
  },
  {
    names: /^[ms]envcfg$/,
    avoid: 'value',
    compared: (1n << 63n) | 1n,
    reason: 'QEMU 7.2 keeps CBIE, CBCFE, CBZE and PBMTE without their extensions',
  },
  {
    names: /^[mhs]counteren$/,
    avoid: 'value',
    compared: LOW_32,
    reason: 'QEMU 7.2 keeps all 64 bits of a 32-bit register',
  },
  { names: /^mideleg$/, avoid: 'value', compared: 0xfffn, reason: 'QEMU 7.2 delegates SGEI although GEILEN is 0' },
  { names: /^vsstatus$/, avoid: 'access', compared: STATUS, reason: 'QEMU 7.2 keeps bits that are no part of it' },
  {
    names: /^hstatus$/,
    avoid: 'value',
    compared: (3n << 32n) | 0x700380n,
    reason: 'QEMU 7.2 keeps bits that are no part of it, and writes GVA on traps to VS-mode too',
  },
  {
    names: /^(v?sepc|mepc)$/,
    avoid: 'write',
    compared: -2n,
    reason: 'QEMU 7.2 keeps bit 0, and returns to odd addresses',
  },
  {
    names: /^mip$/,
    avoid: 'write',
    // MTIP is the guard.
    compared: ~0x80n,
    reason: 'QEMU 7.2 lets mip write VSTIP and VSEIP; the manual makes them aliases of hvip, read-only here',
  },
  {
    names: /^mstatus$/,
    avoid: 'value',
    compared: ~(GVA | VS_FIELD),
    reason: 'QEMU 7.2 sets GVA for any tval, never clears it, and has a VS field',
  },
  {
    names: /^(v?stimecmp|htimedelta|menvcfg)$/,
    avoid: 'write',
    compared: -1n,
    reason: 'QEMU 7.2 runs the comparators of Sstc whatever STCE says; set-ups keep to what both do',
  },
  { names: /^hgatp$/, avoid: 'value', compared: ~3n, reason: 'QEMU 7.2 keeps the two low bits of the 16 KiB root' },
];

const numbers = (avoid: KnownCsr['avoid']): ReadonlySet<number> =>
  new Set(
    CSRS.filter(({ name }) => KNOWN_CSRS.some((known) => known.avoid === avoid && known.names.test(name))).map(
      (csr) => csr.number,
    ),
  );
const UNREADABLE = numbers('value');
const UNWRITTEN = numbers('write');
const UNTOUCHED = numbers('access');

/** CSRs whose values are recorded. */
export const isRecorded = (name: string): boolean =>
  !KNOWN_CSRS.some((known) => known.names.test(name) && known.compared === undefined);

/** The part of a CSR's value that must agree. `field` is the CSR's name, or that of a logged one: `trap 2 mstatus`. */
function comparedBits(field: string): bigint {
  const name = field.replace(/^trap \d+ /, '');
  const masks = KNOWN_CSRS.flatMap(({ names, compared }) =>
    compared !== undefined && names.test(name) ? [compared] : [],
  );
  return BigInt.asUintN(
    64,
    masks.reduce((all, mask) => all & mask, -1n),
  );
}

/** Extensions of our machine that QEMU 7.2 lacks. */
const LACKING: ReadonlySet<string> = new Set(['Zacas', 'Zawrs', 'Zicbom', 'Zicboz']);

/** Instructions that are not drawn in some modes. */
const KNOWN_INSTRUCTIONS: readonly {
  readonly names: readonly string[];
  readonly modes: readonly CaseMode[];
  readonly reason: string;
}[] = [
  {
    names: ['sret', 'sfence.vma', 'hfence.vvma', 'hfence.gvma'],
    modes: ['VU'],
    reason: 'QEMU 7.2 raises an illegal-instruction exception; the manual a virtual-instruction one',
  },
  {
    names: ['ctzw'],
    modes: ['M', 'HS', 'U', 'VS', 'VU'],
    reason: 'QEMU 7.2 counts on into the high half when the low one is zero',
  },
  {
    names: ['sfence.w.inval', 'sfence.inval.ir'],
    modes: ['M', 'HS', 'U', 'VS', 'VU'],
    reason: 'QEMU 7.2 lets user modes execute them',
  },
  {
    names: ['hlvx.hu', 'hlvx.wu'],
    modes: ['M', 'HS', 'U'],
    reason: 'QEMU 7.2 wants read permission for HLVX, the manual execute permission',
  },
  {
    names: ['wfi'],
    modes: ['VU'],
    reason:
      'QEMU 7.2 raises a virtual-instruction exception even with mstatus.TW; the manual an illegal-instruction one',
  },
];

/** Whether either half of a slot may not be drawn. */
export function isExcluded(word: number, mode: CaseMode): boolean {
  const decoded = decode(word >>> 0);
  if (!decoded) return false;
  const { instruction, operands } = decoded;
  if (LACKING.has(instruction.extension)) return true;
  // QEMU 7.2 calls them illegal in VU-mode too.
  if (instruction.extension === 'Svinval' && (mode === 'U' || mode === 'VU')) return true;
  if (KNOWN_INSTRUCTIONS.some((known) => known.names.includes(instruction.name) && known.modes.includes(mode)))
    return true;
  const accessesCsr = expressionsOf(instruction.effect).some((e) =>
    parts(e).some((part) => part.kind === 'call' && part.helper === 'csr'),
  );
  if (!accessesCsr) return false;
  const number = operands.imm ?? 0;
  const writes = instruction.name.startsWith('csrrw') || (operands.rs1 ?? operands.zimm ?? 0) !== 0;
  // QEMU 7.2 raises illegal-instruction exceptions here; the manual wants virtual-instruction ones.
  if (mode === 'VU' && ((number >> 8) & 3) === 1) return true;
  // QEMU 7.2 asks whether any bit of a read-only CSR would be set, the manual whether the register is x0.
  if (number >> 10 === 3 && writes && !instruction.name.startsWith('csrrw')) return true;
  // QEMU 7.2 does not heed hstatus.VTVM for satp.
  if (mode === 'VS' && number === SATP) return true;
  return UNTOUCHED.has(number) || (UNWRITTEN.has(number) && writes) || (UNREADABLE.has(number) && operands.rd !== 0);
}

type Fields = ReadonlyMap<string, bigint>;

interface KnownField {
  readonly fields: RegExp;
  /** `beside` gives QEMU's value of another field of the same trap: `cause` for `trap 2 mtval` is `trap 2 mcause`. */
  readonly holds: (ours: bigint, qemu: bigint, beside: (name: string) => bigint | undefined) => boolean;
  readonly reason: string;
}

/** htinst and mtinst of a failed implicit read of a VS-stage page table. */
const IMPLICIT_READ = 0x3000n;
/** Extensions whose instructions QEMU does not keep for tval. */
const OMITTED = /^(H|Svinval)$/;
const ILLEGAL = 2n;
const VIRTUAL = 22n;
const LOAD_GUEST_PAGE = 21n;

const KNOWN_FIELDS: readonly KnownField[] = [
  {
    fields: /[mh]tinst$/,
    holds: (ours, qemu) => ours !== IMPLICIT_READ && (qemu === 0n || qemu === IMPLICIT_READ),
    reason: "Debian's QEMU 7.2 never transforms instructions, and its htinst cannot be cleared; 0x3000 must agree",
  },
  {
    fields: /tval$/,
    holds: (ours, _, beside) =>
      (beside('cause') === ILLEGAL || beside('cause') === VIRTUAL) &&
      OMITTED.test(decode(Number(ours & LOW_32))?.instruction.extension ?? ''),
    reason: 'QEMU 7.2 leaves an older instruction, or 0, in tval for HLV, HSV and HINVAL',
  },
  {
    fields: /tval2$|htval$/,
    holds: (ours, _, beside) => ours === 0n && !((beside('cause') ?? 0n) >= 20n && (beside('cause') ?? 0n) <= 23n),
    reason: 'QEMU 7.2 keeps the address of an older guest-page fault on traps that have none',
  },
  {
    fields: /tval$/,
    holds: (ours, qemu, beside) =>
      (beside('cause') === 5n || beside('cause') === 7n) && (qemu & 1n) === 0n && ours > qemu && ours - qemu < 8n,
    reason: 'QEMU 7.2 splits a misaligned load of a device before it finds that there is none',
  },
  {
    fields: /^htval$/,
    holds: (_, qemu) => qemu === 0n,
    reason: 'QEMU 7.2 clears htval on traps to VS-mode too; mtval2 is compared',
  },
  {
    fields: /cause$/,
    holds: (ours, qemu, beside) =>
      qemu === LOAD_GUEST_PAGE && (ours === 20n || ours === 23n) && beside('tinst') === IMPLICIT_READ,
    reason: 'QEMU 7.2 takes a failed implicit read for a load; the manual wants the cause of the original access',
  },
];

/** Whether both values of a recorded field are as the tables above let them be. */
export function agrees(field: string, ours: bigint, qemu: bigint, all: Fields): boolean {
  if (((ours ^ qemu) & comparedBits(field)) === 0n) return true;
  const [, trap = '', level = ''] = /^(trap \d+ )?(vs|s|m|h)/.exec(field) ?? [];
  const beside = (name: string) => all.get(`${trap}${name === 'tinst' && level === 's' ? 'h' : level}${name}`);
  return KNOWN_FIELDS.some((known) => known.fields.test(field) && known.holds(ours, qemu, beside));
}
