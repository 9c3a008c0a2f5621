/**
 * Where the values of one instruction come from: which registers, memory, CSRs it reads, what it only copies. Derived
 * from the instruction table and from what the log says that the instruction accessed. Knows no instruction by name.
 */
import {
  type Csr,
  csrByName,
  csrByNumber,
  decode,
  type Effect,
  type Expression,
  expressionsOf,
  HELPERS,
  type HelperName,
  INSTRUCTIONS,
  type Instruction,
  parts,
  STEP_FLAGS,
} from '../../engine/index.ts';
import type { AccessHit } from '../watch/index.ts';
import type { Step, StepAccess } from './steps.ts';

/** A place that holds a value; `from`: first byte of it that is meant, of `bytes`. */
export type Location =
  | {
      readonly kind: 'register';
      readonly hart: number;
      /** 0–31 integer, 32–63 floating point. */
      readonly number: number;
      readonly from: number;
      readonly bytes: number;
    }
  | { readonly kind: 'memory'; readonly paddr: number; readonly bytes: number }
  /** `field`: the hart's field that holds it, which several CSRs may show parts of; `number`: through which. */
  | { readonly kind: 'csr'; readonly hart: number; readonly number: number; readonly field: string };

/** A location as something found it: its value there, zero-extended. */
export interface Use {
  readonly location: Location;
  readonly value: bigint;
}

type MemoryLocation = Extract<Location, { kind: 'memory' }>;

export const bytesOf = (location: Location): number => (location.kind === 'csr' ? 8 : location.bytes);

/** The low `bytes` bytes of `value` from byte `from` on. */
export const slice = (value: bigint, from: number, bytes: number): bigint =>
  BigInt.asUintN(8 * bytes, value >> BigInt(8 * from));

/** The part of a use that begins `from` bytes further on and has `bytes` bytes. CSRs are whole. */
export function partOf(use: Use, from: number, bytes: number): Use {
  const { location } = use;
  if (location.kind === 'csr') return use;
  const value = slice(use.value, from, bytes);
  if (location.kind === 'register') return { location: { ...location, from: location.from + from, bytes }, value };
  return { location: { ...location, paddr: location.paddr + from, bytes }, value };
}

/** What an instruction does with an operand: computes or copies it, or only looks up by it where its data lie. */
export type Role = 'data' | 'address';
type Source = 1 | 2 | 3;

/** The sources that a row reads, in order, and what for. */
const SOURCES = new WeakMap<Instruction, ReadonlyMap<Source, Role>>();

function sourcesOf(instruction: Instruction): ReadonlyMap<Source, Role> {
  const known = SOURCES.get(instruction);
  if (known) return known;
  const { effect } = instruction;
  const addresses = new Set([...expressionsOf(effect).flatMap(parts).flatMap(addressesOf), ...storeAddresses(effect)]);
  const found = new Map<Source, Role>();
  for (const source of [1, 2, 3] as const) {
    const name = `rs${source}` as const;
    const all = expressionsOf(effect).flatMap(parts);
    const uses = all.filter((part) => part.kind === 'register' && part.name === name).length;
    const looked = [...addresses].flatMap(parts).filter((part) => part.kind === 'register' && part.name === name);
    if (uses > 0) found.set(source, looked.length < uses ? 'data' : 'address');
  }
  // Compare-and-swap reads its destination by itself.
  if (expressionsOf(effect).flatMap(parts).some(readsRegisters)) found.set(3, 'data');
  SOURCES.set(instruction, found);
  return found;
}

function readsRegisters(part: Expression): boolean {
  const facts: readonly string[] = part.kind === 'call' ? HELPERS[part.helper].may : [];
  return facts.includes('readRegisters');
}

/** The addresses that this node itself accesses. */
function addressesOf(part: Expression): readonly Expression[] {
  if (part.kind === 'load') return [part.address];
  if (part.kind !== 'call') return [];
  const parameters: readonly string[] = HELPERS[part.helper].parameters;
  return part.args.filter((_, n) => parameters[n] === 'address');
}

function storeAddresses(effect: Effect): readonly Expression[] {
  if (effect.kind === 'store') return [effect.address];
  if (effect.kind === 'either') return [...storeAddresses(effect.then), ...storeAddresses(effect.otherwise)];
  return effect.kind === 'attempt' ? storeAddresses(effect.otherwise) : [];
}

/** Words of the returns from traps, which have no operands. */
const RETURNS: ReadonlySet<number> = new Set(
  INSTRUCTIONS.filter(({ effect }) => effect.kind === 'run' && isRedirect(effect.call.helper)).map(
    ({ encoding }) => encoding.match >>> 0,
  ),
);

function isRedirect(helper: HelperName): boolean {
  const facts: readonly string[] = HELPERS[helper].may;
  return facts.includes('redirect');
}

/** Whether an instruction word is a return from a trap. */
export const isReturnWord = (raw: number): boolean => RETURNS.has(raw);

/** Whether a step is an instruction that may go on elsewhere than behind it by itself. */
export function isBranch(step: Step): boolean {
  const row = step.isTrap ? undefined : decode(step.raw)?.instruction;
  return row !== undefined && (row.effect.kind === 'branch' || row.effect.kind === 'jump');
}

const registerUse = (step: Step, which: 1 | 2 | 3): Use => {
  const { register, value } = step.source(which);
  return { location: { kind: 'register', hart: step.hart, number: register, from: 0, bytes: 8 }, value };
};

/** x0 and what is no register. */
const isRegister = (use: Use): boolean =>
  use.location.kind === 'register' && use.location.number > 0 && use.location.number < 64;

/** A register that an instruction reads. */
export interface RegisterUse extends Use {
  readonly role: Role;
}

/** The registers that an instruction reads, x0 left out. Traps read none. */
export function registersRead(step: Step): RegisterUse[] {
  const row = step.isTrap ? undefined : decode(step.raw)?.instruction;
  return [...(row ? sourcesOf(row) : [])]
    .map(([which, role]) => ({ ...registerUse(step, which), role }))
    .filter(isRegister);
}

const memoryUse = ({ address, bytes, before }: StepAccess): Use => ({
  location: { kind: 'memory', paddr: address, bytes },
  value: before,
});

/** The memory that an instruction reads: devices are none. */
export const memoryRead = (step: Step): Use[] =>
  step.accesses
    .filter(({ flags }) => flags & STEP_FLAGS.READS && !(flags & STEP_FLAGS.DEVICE))
    .map((access) => memoryUse(access));

/** The CSR that an instruction reads. */
export function csrRead(step: Step): Use[] {
  const location = csrLocation(step);
  return location ? [{ location, value: step.csr!.before }] : [];
}

/** The instruction itself, as bytes of memory. */
export const codeUse = (step: Step, bytes: number): Use => ({
  location: { kind: 'memory', paddr: step.code, bytes },
  value: BigInt.asUintN(8 * bytes, BigInt(step.raw >>> 0)),
});

/** Whether the step reads or writes a device. */
export const touchesDevice = (step: Step): boolean => (step.flags & STEP_FLAGS.DEVICE) !== 0 && !step.isTrap;

/** A CSR as the hart keeps it, whatever name it goes by. */
export function csrLocation(step: Step): Extract<Location, { kind: 'csr' }> | undefined {
  const csr = step.csr && csrByNumber(step.csr.number);
  const meant = csr && meantBy(csr, (step.modeNumber & 4) !== 0);
  if (!meant?.implementation) return undefined;
  return { kind: 'csr', hart: step.hart, number: meant.number, field: fieldOf(meant) };
}

/** In VS-mode names of S-mode's registers mean VS ones. */
const meantBy = (csr: Csr, isVirtual: boolean): Csr => {
  const twin = isVirtual ? csr.implementation?.twin : undefined;
  return (twin === undefined ? undefined : csrByName(twin)) ?? csr;
};

const fieldOf = ({ implementation, name }: Csr): string => {
  if (!implementation) return name;
  const { state, target, element, source } = implementation;
  const base = source === 'state' || source === 'status' ? state : target || name;
  return element > 0 ? `${base}.${element}` : base;
};

/** The location of a CSR by its name, on a hart. */
export function namedCsr(hart: number, name: string): Location {
  const csr = csrByName(name)!;
  return { kind: 'csr', hart, number: csr.number, field: fieldOf(csr) };
}

/**
 * Whether a CSR's value is only what CSR instructions, traps and returns wrote to it last: not time, counts or lines,
 * nor the flags of floating point, which its instructions raise.
 */
export function isKept(number: number): boolean {
  const { source, gate, write } = csrByNumber(number)?.implementation ?? {};
  return source === 'state' && gate === undefined && write !== 'none' && write !== 'float';
}

/** The CSR that decides which bits of another one are shown, of one that otherwise is what was written; or none. */
export function gateOf(number: number): string | undefined {
  const { source, gate, write } = csrByNumber(number)?.implementation ?? {};
  return source === 'state' && write !== 'none' && write !== 'float' ? gate : undefined;
}

/**
 * Where the value that a step gave to a location was copied from: loads, stores, CSR reads and writes, and whatever
 * gives its only source back unchanged. undefined: the step computed it. `use.location` is what the step wrote, or a
 * part of it.
 */
export function copiedFrom(step: Step, use: Use): Use | undefined {
  const { location } = use;
  if (step.isTrap) return undefined;
  if (location.kind === 'memory') return storedFrom(step, location, use.value);
  if (location.kind === 'csr') {
    const written = registersRead(step)[0];
    return written && step.csr?.after === written.value ? written : undefined;
  }
  if (step.csr) return csrRead(step)[0];
  const { accesses } = step;
  if (accesses.length > 0) return loadedFrom(step, accesses, location);
  const sources = registersRead(step);
  const [only] = sources;
  if (sources.length !== 1 || only!.value !== step.result || isBranch(step)) return undefined;
  return partOf(only!, location.from, location.bytes);
}

function storedFrom(step: Step, location: MemoryLocation, value: bigint): Use | undefined {
  // Bytes of the register before those of an access; of a store across pages they lie apart.
  let at = 0;
  for (const { address, bytes, flags } of step.accesses) {
    if (flags & (STEP_FLAGS.READS | STEP_FLAGS.DEVICE)) return undefined;
    const from = location.paddr - address;
    if (from < 0 || from >= bytes) {
      at += bytes;
      continue;
    }
    const size = Math.min(location.bytes, bytes - from);
    const source = registerUse(step, 2);
    // What the store wrote is the register, or it is none that only stores.
    if (!isRegister(source) || at + bytes > 8) return undefined;
    return slice(source.value, at + from, size) === slice(value, 0, size) ? partOf(source, at + from, size) : undefined;
  }
  return undefined;
}

function loadedFrom(
  step: Step,
  accesses: readonly StepAccess[],
  location: Extract<Location, { kind: 'register' }>,
): Use | undefined {
  // Of an atomic operation on memory the register gets what was there before.
  if (accesses.some(({ flags }) => flags & STEP_FLAGS.DEVICE || !(flags & STEP_FLAGS.READS))) return undefined;
  let at = 0;
  for (const access of accesses) {
    const from = location.from - at;
    if (from >= 0 && from < access.bytes) {
      const bytes = Math.min(location.bytes, access.bytes - from);
      return slice(access.before, from, bytes) === slice(step.result, location.from, bytes)
        ? partOf(memoryUse(access), from, bytes)
        : undefined;
    }
    at += access.bytes;
  }
  // Bytes above what was loaded follow from its sign.
  const last = accesses.at(-1)!;
  return partOf(memoryUse(last), last.bytes - 1, 1);
}

/** Bytes of a copy: `bytes` of them from byte `from` on are those of `use` from its byte `at` on. */
export interface CopiedPart {
  readonly from: number;
  readonly bytes: number;
  readonly use: Use;
  /** 0 but for CSRs, which are whole. */
  readonly at: number;
  /** They are no copy: all are what the highest bit of `use` is, or all zeros, or all ones, whatever was copied. */
  readonly fill?: Fill;
}
export type Fill = 'sign' | 'zeros' | 'ones';

/**
 * Where all bytes of the value that a step gave to a location were copied from, in order; undefined: the step computed
 * some of them. `use` as for `copiedFrom`.
 */
export function copiedParts(step: Step, use: Use): readonly CopiedPart[] | undefined {
  const { location } = use;
  const bytes = bytesOf(location);
  const found: CopiedPart[] = [];
  const loaded = location.kind === 'register' && !step.csr ? loadedBytes(step) : 0;
  for (let from = 0; from < bytes; ) {
    const left = bytes - from;
    const rest = from === 0 ? use : partOf(use, from, left);
    const source = copiedFrom(step, rest);
    if (!source) return undefined;
    if (location.kind === 'register' && loaded > 0 && location.from + from >= loaded) {
      const fill = fillOf(rest.value, left, source.value);
      if (!fill) return undefined;
      found.push({ from, bytes: left, use: source, at: 0, fill });
      break;
    }
    const at = source.location.kind === 'csr' && location.kind === 'register' ? location.from + from : 0;
    const size = Math.min(left, bytesOf(source.location) - at);
    // A register shown in part, such as sstatus of mstatus, is none that is only copied.
    if (slice(source.value, at, size) !== slice(rest.value, 0, size)) return undefined;
    found.push({ from, bytes: size, use: source, at });
    from += size;
  }
  return found;
}

/** Bytes of all accesses of a step. */
export const loadedBytes = (step: Step): number => step.accesses.reduce((sum, { bytes }) => sum + bytes, 0);

function fillOf(value: bigint, bytes: number, highest: bigint): Fill | undefined {
  const ones = BigInt.asUintN(8 * bytes, -1n);
  if (value === 0n) return 'zeros';
  if (value !== ones) return undefined;
  return highest >> 7n === 1n ? 'sign' : 'ones';
}

/** The bytes of a location as an access from outside found and left them; undefined: not all of them are known. */
export function partOfHit(
  { parts }: AccessHit,
  location: Location,
): { readonly before: bigint; readonly after: bigint } | undefined {
  if (location.kind !== 'memory') return undefined;
  let [before, after] = [0n, 0n];
  for (let n = bytesOf(location) - 1; n >= 0; n--) {
    const at = location.paddr + n;
    const part = parts.find(({ paddr, bytes }) => at >= paddr && at < paddr + bytes);
    if (!part) return undefined;
    const shift = BigInt(8 * (at - part.paddr));
    before = (before << 8n) | ((part.before >> shift) & 0xffn);
    after = (after << 8n) | ((part.after >> shift) & 0xffn);
  }
  return { before, after };
}
