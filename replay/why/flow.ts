/**
 * Where the values of one instruction come from: which registers, memory, CSRs it reads, what it only copies. Derived
 * from the instruction table and from what the log says that the instruction accessed. Knows no instruction by name.
 */
import {
  type Csr,
  csrByName,
  csrByNumber,
  decode,
  expressionsOf,
  type Instruction,
  parts,
  STEP_FLAGS,
} from '../../engine/index.ts';
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

/** The sources that a row reads. */
const SOURCES = new WeakMap<Instruction, readonly (1 | 2 | 3)[]>();

function sourcesOf(instruction: Instruction): readonly (1 | 2 | 3)[] {
  const known = SOURCES.get(instruction);
  if (known) return known;
  const found = new Set<1 | 2 | 3>();
  for (const part of expressionsOf(instruction.effect).flatMap(parts)) {
    if (part.kind === 'register') found.add(part.name === 'rs1' ? 1 : part.name === 'rs2' ? 2 : 3);
  }
  const sources = [...found].sort();
  SOURCES.set(instruction, sources);
  return sources;
}

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

/** The registers that an instruction reads, x0 left out. Traps read none. */
export function registersRead(step: Step): Use[] {
  const row = step.isTrap ? undefined : decode(step.raw)?.instruction;
  return row
    ? sourcesOf(row)
        .map((which) => registerUse(step, which))
        .filter(isRegister)
    : [];
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

/** Whether a CSR's value is only what was written to it last: not time, counts or lines. */
export function isKept(number: number): boolean {
  const { implementation } = csrByNumber(number) ?? {};
  return implementation?.source === 'state' && implementation.gate === undefined && implementation.write !== 'none';
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
  const first = step.accesses[0];
  if (!first || first.flags & (STEP_FLAGS.READS | STEP_FLAGS.DEVICE)) return undefined;
  const from = location.paddr - first.address;
  const source = registerUse(step, 2);
  // What the store wrote is the register, or it is none that only stores: its bytes lie elsewhere for page crossings.
  if (from < 0 || from + location.bytes > 8 || slice(source.value, from, location.bytes) !== value) return undefined;
  return isRegister(source) ? partOf(source, from, location.bytes) : undefined;
}

function loadedFrom(
  step: Step,
  accesses: readonly StepAccess[],
  location: Extract<Location, { kind: 'register' }>,
): Use | undefined {
  if (accesses.some(({ flags }) => flags & (STEP_FLAGS.WRITES | STEP_FLAGS.DEVICE))) return undefined;
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
