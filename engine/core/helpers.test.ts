/**
 * What the ISA table says that its helpers may do, against what the core's functions of these names do: each is called
 * in many drawn states with the arguments of a drawn instruction. What was seen must be just what is declared: with a
 * fact too few, generated code would miss a trap; a fact too many costs a check for nothing.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ACCESSES,
  CSRS,
  type Environment,
  type Expression,
  evaluate,
  expressionsOf,
  type Fact,
  HELPERS,
  type HelperName,
  INSTRUCTIONS,
  type Instruction,
  insertOperands,
  isPure,
  parts,
} from '../isa/index.ts';
import { CONSTANTS, hartAddress, offsetOf, WATCH } from './layout/index.ts';
import { Bed, DEVICE, type ModeName, PTE, RAM, RWX, SV39 } from './testbed.ts';

const { RESYNC_PC, RESYNC_END_SLICE } = CONSTANTS;
const RUNS = 400;

const bed = new Bed({ ramBytes: 2 << 20 });
const { core } = bed;
const memory = Buffer.from(core.memory.buffer);
const hostOf = (paddr: bigint) => core.machineNumber('ramHost') + Number(paddr - RAM);
const HOST = hartAddress(0);
const PC = RAM + 0x800n;
const DATA = RAM + 0x1000n;
/** An address without translation, and not of the form that translation takes. */
const NOWHERE = 0x5000_0000_0000n;

/** One entry of each root maps all of RAM, another the device, to themselves. */
const root = bed.tablePages();
const gRoot = bed.tablePages(4n);
const identity = (table: bigint, va: bigint, gstage: boolean) =>
  bed.map(table, va & ~0x3fff_ffffn, va & ~0x3fff_ffffn, RWX | PTE.U, { level: 2n, gstage });
const ENTRY = identity(root, RAM, false);
const LEAF = bed.word(ENTRY);
identity(root, DEVICE, false);
identity(gRoot, RAM, true);
identity(gRoot, DEVICE, true);
bed.openPmp();
/** A watched word, whose reads end the slice. */
const watch = core.machineNumber('watchesHost');
const watched = {
  from: hostOf(DATA),
  to: hostOf(DATA) + 8,
  kinds: CONSTANTS.WATCH_READS | CONSTANTS.WATCH_STOPS_READS,
};
for (const [name, value] of Object.entries(watched)) memory.writeUInt32LE(value, watch + offsetOf(WATCH, name));
core.arch.setWatches(1);

/** What is saved, in the state that every draw starts from; of RAM the pages that the draws reach. */
const SAVED = [
  ...core.savedRanges().map(({ address, bytes }) => memory.subarray(address, address + bytes)),
  ...[RAM, DATA, root].map((page) => memory.subarray(hostOf(page), hostOf(page) + 4096)),
];
const copyOfState = () => SAVED.map((part) => Buffer.from(part));
const start = copyOfState();

/** A device may write to the page table by DMA whenever it is accessed. */
let deviceWrites = false;
const accessDevice = () => {
  if (deviceWrites) bed.setWord(ENTRY, bed.word(ENTRY) ^ (1n << 8n));
  return 0n;
};
bed.registers.get = accessDevice;
bed.registers.set = () => {
  accessDevice();
  return bed.registers;
};

const WORD = fc.oneof(
  fc.constantFrom(0n, 1n, 2n ** 64n - 1n, 0x3ff8n << 48n),
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
);
const often = <T>(value: T, other: fc.Arbitrary<T>) => fc.oneof(fc.constant(value), other);
/** A register with some of these bits set. */
const bits = (...numbers: number[]) =>
  fc.subarray(numbers).map((chosen) => chosen.reduce((sum, bit) => sum | (1n << BigInt(bit)), 0n));
const DRAW = fc.record({
  mode: fc.constantFrom<ModeName[]>('M', 'M', 'HS', 'U', 'VS', 'VU'),
  fields: fc.record({
    // SUM, MXR, MPRV, TVM, TW, TSR, MPV, SPP, SPIE, SIE, FS, MPP.
    mstatus: bits(18, 19, 17, 20, 21, 22, 39, 8, 5, 1, 13, 14, 11),
    vsstatus: bits(18, 19, 13, 14, 8),
    // VTVM, VTW, VTSR, HU, SPVP, SPV.
    hstatus: bits(20, 21, 22, 9, 8, 7),
    medeleg: often(0n, bits(2, 3, 5, 7, 8, 13, 15)),
    menvcfg: bits(4, 5, 6, 7, 61, 63),
    senvcfg: bits(4, 5, 6, 7),
    henvcfg: bits(4, 5, 6, 7, 61, 63),
    mcounteren: bits(0, 1, 2),
    mie: often(0n, bits(1, 5)),
    mip: often(0n, bits(1, 5)),
    satp: fc.constantFrom(0n, SV39 | (root >> 12n)),
    vsatp: fc.constantFrom(0n, SV39 | (root >> 12n)),
    hgatp: fc.constantFrom(0n, SV39 | (gRoot >> 12n)),
    fcsr: fc.nat(0xff).map(BigInt),
    reserved: fc.constantFrom(0n, 1n),
  }),
  deviceWrites: fc.boolean(),
  rs1: fc.constantFrom(ENTRY, ENTRY, DATA, DATA, DEVICE, PC, DATA + 1n, NOWHERE),
  rs2: WORD,
  rs3: WORD,
  /** AMOCAS compares with it. */
  rd: fc.oneof(fc.constantFrom(0n, LEAF), WORD),
  /** What all other registers hold. */
  others: often(0n, WORD),
  zimm: fc.nat(31),
  csr: fc.constantFrom(...CSRS.map(({ number }) => number), 0),
});
type Draw = typeof DRAW extends fc.Arbitrary<infer T> ? T : never;

/** Puts the core into the drawn state, about to execute `raw`. */
function prepare(draw: Draw, raw: number, registers: readonly bigint[]): void {
  for (const [n, part] of SAVED.entries()) part.set(start[n] as Buffer);
  memory.writeUInt32LE(raw, hostOf(PC));
  for (const [name, value] of Object.entries(draw.fields)) core.setHart(0, name, value);
  core.setHart(0, 'reservedAddr', draw.rs1);
  for (const [n, value] of registers.entries()) core.setHart(0, 'x', value, n);
  bed.enter(draw.mode, PC);
  markTable();
  deviceWrites = draw.deviceWrites;
  core.setMachine('accessesCount', 0n);
  // A slice of 100 ticks, at its first instruction.
  core.setMachine('currentHart', 0n);
  core.setMachine('turnLeft', 100n);
  core.setMachine('sliceBudget', 100n);
  core.setHart(0, 'budget', 99n);
}

/** Only a page that a walk has read is a page table; a debugger's walk as S-mode is enough. */
function markTable(): void {
  const fields = { priv: 1n, virt: 0n, satp: SV39 | (root >> 12n) };
  const before = Object.keys(fields).map((name) => [name, core.hart(0, name)] as const);
  for (const [name, value] of Object.entries(fields)) core.setHart(0, name, value);
  core.translate(0, RAM, 2);
  for (const [name, value] of before) core.setHart(0, name, value);
}

/** What is called, and the instructions that do, with the arguments that they give. */
interface Subject {
  readonly sites: readonly Site[];
  call(args: readonly bigint[]): bigint;
}
interface Site {
  /** None for encodings that are no instruction, and for the slow part of any load or store. */
  readonly row?: Instruction;
  readonly args: readonly Expression[];
}

/** Calls once; gives the facts that showed, and result and state to compare. */
function observe(subject: Subject, draw: Draw, raw: number, registers: readonly bigint[], args: readonly bigint[]) {
  const contexts = () => ['fetchContext', 'dataContext'].map((name) => core.hart(0, name)).join();
  prepare(draw, raw, registers);
  const before = contexts();
  const result = subject.call(args);
  const resync = Number(core.hart(0, 'resync'));
  const hasTrapped = core.hart(0, 'traps') > 0n;
  const seen = new Set<Fact>();
  if (hasTrapped) seen.add('trap');
  else if (resync & RESYNC_PC) seen.add('redirect');
  else if (resync & RESYNC_END_SLICE) seen.add('endSlice');
  if (!hasTrapped && contexts() !== before) seen.add('changeContext');
  if (registers.some((value, n) => core.hart(0, 'x', n) !== value)) seen.add('writeRegisters');
  // The contract of engine/core/README.md, whatever the table says.
  if (hasTrapped) expect(resync & RESYNC_PC).toBe(RESYNC_PC);
  if (contexts() !== before) expect(resync).not.toBe(0);
  for (const n of registers.keys()) core.setHart(0, 'x', 0n, n);
  return { seen, result: hasTrapped ? 0n : BigInt.asUintN(64, result), state: copyOfState() };
}

/** All facts that showed in the calls of many draws, sorted. */
function factsSeen(subject: Subject): Fact[] {
  const all = new Set<Fact>();
  fc.assert(
    fc.property(fc.constantFrom(...subject.sites), DRAW, (site, draw) => {
      const { raw, env, registers } = instructionOf(site, draw);
      const args = site.args.map((e) => evaluate(e, env));
      const once = observe(subject, draw, raw, registers, args);
      // The same arguments, but other registers than those they came from.
      const others = registers.map((value, n) => (n === 0 ? 0n : value ^ 0x5555n));
      const again = observe(subject, draw, raw, others, args);
      const differs =
        once.result !== again.result || once.state.some((part, n) => !part.equals(again.state[n] as Buffer));
      for (const fact of once.seen) all.add(fact);
      if (differs) all.add('readRegisters');
    }),
    // All that is declared must show: the draws are always the same ones.
    { numRuns: RUNS, seed: 1 },
  );
  return [...all].sort();
}

function instructionOf({ row }: Site, draw: Draw) {
  const numbers = { rd: 16, rs1: 10, rs2: 12, rs3: 14 };
  const registers = Array.from({ length: 32 }, (_, n) => (n === 0 ? 0n : draw.others));
  for (const [name, n] of Object.entries(numbers)) registers[n] = draw[name as 'rd'];
  const takes = (name: string) => row?.encoding.fields.some((f) => f.name === name);
  const imm = row?.extension === 'Zicsr' ? draw.csr : 0;
  const operands = { ...numbers, imm, zimm: draw.zimm };
  const encoded = row ? insertOperands(row.encoding, operands) : 0;
  if (typeof encoded !== 'number') throw new Error(`${row?.name}: ${encoded}`);
  const env: Environment = {
    rs1: draw.rs1,
    rs2: draw.rs2,
    rs3: draw.rs3,
    imm: takes('imm') ? BigInt(imm) : 0n,
    zimm: BigInt(draw.zimm),
    pc: PC,
    raw: BigInt(encoded),
    load: () => draw.rs2,
    call: () => 0n,
  };
  return { raw: encoded, env, registers };
}

const exported = core.arch as unknown as Readonly<Record<string, (hart: number, ...args: unknown[]) => bigint>>;
const NAMES = Object.keys(HELPERS) as HelperName[];

function subjectOf(name: HelperName): Subject {
  const sites = INSTRUCTIONS.flatMap((row) =>
    expressionsOf(row.effect)
      .flatMap(parts)
      .flatMap((e) => (e.kind === 'call' && e.helper === name ? [{ row, args: e.args }] : [])),
  );
  const illegal = { args: HELPERS[name].parameters.map(() => ({ kind: 'raw' }) as const) };
  return { sites: sites.length > 0 ? sites : [illegal], call: (args) => exported[name]!(HOST, ...args) };
}

describe('helpers do what the table says that they may, and all of it', () => {
  test.each(NAMES)('%s', (name) => {
    expect(factsSeen(subjectOf(name))).toEqual([...HELPERS[name].may].sort());
  });

  test.each(NAMES.filter(isPure))('%s changes nothing', (name) => {
    fc.assert(
      fc.property(DRAW, ({ rs1, rs2, ...draw }) => {
        const whole = () => Buffer.from(memory.subarray(CONSTANTS.MACHINE_BASE, HOST + CONSTANTS.HART_STRIDE));
        prepare({ rs1, rs2, ...draw }, 0, []);
        const before = whole();
        exported[name]!(HOST, ...[rs1, rs2].slice(0, HELPERS[name].parameters.length));
        expect(whole().equals(before)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});

describe('so do loads and stores that the translation caches do not answer', () => {
  const register = (name: 'rs1' | 'rs2') => ({ kind: 'register', name }) as const;
  const sites = [1n, 2n, 4n, 8n].map((value) => ({
    args: [register('rs1'), register('rs2'), { kind: 'constant', value } as const],
  }));
  test('load', () => {
    const call = ([at, , size]: readonly bigint[]) => exported.loadSlow!(HOST, at, Number(size));
    expect(factsSeen({ sites, call })).toEqual([...ACCESSES.load.may].sort());
  });
  test('store', () => {
    const call = ([at, value, size]: readonly bigint[]) => {
      exported.storeSlow!(HOST, at, value, Number(size));
      return 0n;
    };
    expect(factsSeen({ sites, call })).toEqual([...ACCESSES.store.may].sort());
  });
});
