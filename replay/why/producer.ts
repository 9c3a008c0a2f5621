/**
 * Who gave a location the value that a step found there: the last instruction or trap that wrote it; or nobody, when
 * the value found is another one than the last that was written.
 * Relies on the step log for what is near, and on the search for the last access to memory for what is far away.
 */
import { csrByName, csrByNumber, isRam, STEP_FLAGS, type Steps, type Ticks } from '../../engine/index.ts';
import type { Slices } from '../search/index.ts';
import { type AccessHit, lastAccess, type MemoryHit } from '../watch/index.ts';
import {
  bytesOf,
  csrLocation,
  gateOf,
  isKept,
  isReturnWord,
  type Location,
  namedCsr,
  partOf,
  slice,
  type Use,
} from './flow.ts';
import type { RunSteps, Step, StepNumber } from './steps.ts';

export type Producer =
  /** An instruction or trap; `use`: the part of the location that it wrote. */
  | { readonly kind: 'step'; readonly step: StepNumber; readonly use: Use }
  /** A device, an input or a reset wrote it; `use`: the part of the location. */
  | { readonly kind: 'outside'; readonly hit: MemoryHit; readonly use: Use }
  /** The last that was written is `written`, by `step` (undefined: nothing ever was), and nobody changed it since. */
  | { readonly kind: 'changed'; readonly step: StepNumber | undefined; readonly written: bigint; readonly use: Use }
  /** Nothing ever wrote it: an image's byte, or what a register has after a reset. */
  | { readonly kind: 'initial'; readonly use: Use }
  /** It is further back than was looked. */
  | { readonly kind: 'far'; readonly use: Use };

/** Records looked at for the writer of a register or CSR. */
const FAR = 30_000_000;
/** Records looked at for the writer of memory before the search for it. */
const NEAR = 400_000;

export interface Look {
  /** When the value was found, inputs applied: when the step `at` was done, unless given. */
  readonly ticks?: Ticks;
  /** Records looked at, at most. */
  readonly most?: number;
}

/** Who gave `use.location` the value that was found there right before `at`. Moves the run. */
export function* producerOf(run: RunSteps, use: Use, at: StepNumber, look: Look = {}): Slices<Producer> {
  const most = Math.min(FAR, look.most ?? FAR);
  switch (use.location.kind) {
    case 'register':
      return ofRegister(run, use, use.location, at, most);
    case 'memory':
      return yield* ofMemory(run, use, use.location, at, look.ticks ?? run.get(at).ticks);
    case 'csr':
      return ofCsr(run, use, use.location, at, most);
  }
}

const NO_RESULT = STEP_FLAGS.IS_TRAP | STEP_FLAGS.FURTHER | STEP_FLAGS.TRAPPED;

type Of<K extends Location['kind']> = Extract<Location, { kind: K }>;

function ofRegister(
  run: RunSteps,
  use: Use,
  { hart, number, from, bytes }: Of<'register'>,
  at: StepNumber,
  most: number,
): Producer {
  const writes = (steps: Steps, n: number) =>
    steps.rd(n) === number && steps.hart(n) === hart && !(steps.flags(n) & NO_RESULT);
  const step = run.back(at, most, writes, { hart, number });
  if (step === undefined) return { kind: run.reachedStart ? 'initial' : 'far', use };
  const written = slice(run.get(step).result, from, bytes);
  return written === use.value ? { kind: 'step', step, use } : { kind: 'changed', step, written, use };
}

function* ofMemory(
  run: RunSteps,
  use: Use,
  { paddr, bytes }: Of<'memory'>,
  at: StepNumber,
  ticks: Ticks,
): Slices<Producer> {
  // Nothing ever writes ROM.
  if (!isRam(run.run.machine, paddr, bytes)) return { kind: 'initial', use };
  const writes = (steps: Steps, n: number) =>
    (steps.flags(n) & (STEP_FLAGS.WRITES | STEP_FLAGS.DEVICE | STEP_FLAGS.CSR | STEP_FLAGS.IS_TRAP)) ===
      STEP_FLAGS.WRITES &&
    steps.address(n) < paddr + bytes &&
    paddr < steps.address(n) + steps.bytes(n);
  const step = run.back(at, NEAR, writes);
  const near = step === undefined ? undefined : byStep(run, use, step, paddr, bytes);
  if (near?.kind === 'step') return near;
  // Somebody else wrote it since, or nothing did near here: the search sees devices and inputs, too.
  const { run: timeline } = run;
  timeline.toTicks(ticks, 'applied');
  const place = { space: 'spa', address: BigInt(paddr) } as const;
  const hit = yield* lastAccess(timeline, { at: place, bytes, writes: true });
  if (!hit) return near ?? { kind: timeline.first.ticks === 0 ? 'initial' : 'far', use };
  if (hit.kind === 'access' && hit.by === 'store') {
    const writer = run.at(hit.ticks);
    const far = writer === undefined ? undefined : byStep(run, use, instructionOf(run, writer), paddr, bytes);
    return far ?? { kind: 'far', use };
  }
  return { kind: 'outside', hit, use: (hit.kind === 'access' && touched(hit, use)) || (near?.use ?? use) };
}

/** The bytes that an access from outside touched, from the first to the last. */
function touched({ parts, further }: AccessHit, use: Use): Use | undefined {
  const { location } = use;
  if (location.kind !== 'memory' || further > 0) return undefined;
  const end = location.paddr + location.bytes;
  const from = Math.max(location.paddr, Math.min(...parts.map(({ paddr }) => paddr)));
  const to = Math.min(end, Math.max(...parts.map(({ paddr, bytes }) => paddr + bytes)));
  return to > from ? partOf(use, from - location.paddr, to - from) : undefined;
}

/** A further access stands for its instruction. */
function instructionOf(run: RunSteps, step: StepNumber): StepNumber {
  let first = step;
  while (run.get(first).flags & STEP_FLAGS.FURTHER) first--;
  return first;
}

function byStep(run: RunSteps, use: Use, at: StepNumber, paddr: number, bytes: number): Producer | undefined {
  const step = instructionOf(run, at);
  for (const access of run.get(step).accesses.toReversed()) {
    if (!(access.flags & STEP_FLAGS.WRITES)) continue;
    const from = Math.max(paddr, access.address);
    const to = Math.min(paddr + bytes, access.address + access.bytes);
    if (from >= to) continue;
    const written = slice(access.after, from - access.address, to - from);
    const part: Use = {
      location: { kind: 'memory', paddr: from, bytes: to - from },
      value: slice(use.value, from - paddr, to - from),
    };
    return written === part.value ? { kind: 'step', step, use: part } : { kind: 'changed', step, written, use: part };
  }
  return undefined;
}

function ofCsr(run: RunSteps, use: Use, location: Of<'csr'>, at: StepNumber, most: number): Producer {
  const isStatus = STATUS_FIELDS.has(location.field);
  const writes = (steps: Steps, n: number) => {
    if (steps.hart(n) !== location.hart) return false;
    const flags = steps.flags(n);
    if (flags & STEP_FLAGS.IS_TRAP) return trapWrites(steps.rd(n), location.field);
    if (isStatus && isReturnWord(steps.raw(n)) && !(flags & NO_RESULT)) return true;
    return (flags & (STEP_FLAGS.CSR | STEP_FLAGS.WRITES)) === (STEP_FLAGS.CSR | STEP_FLAGS.WRITES);
  };
  for (let from = at; ; ) {
    const step = run.back(from, most, writes);
    if (step === undefined) return { kind: run.reachedStart ? 'initial' : 'far', use };
    const found = run.get(step);
    if (found.csr) {
      const written = csrLocation(found);
      if (written?.field === location.field) {
        const isSame = written.number === location.number && isKept(location.number);
        return leftBy(step, isSame ? found.csr.after : (leftIn(run, location, step, at) ?? use.value), use);
      }
    } else {
      const after = isKept(location.number) ? valueBehind(run, location, step) : use.value;
      // A return that leaves all bits as they were is no answer.
      if (found.isTrap || after !== use.value || valueAt(run, location, step) !== after)
        return leftBy(step, after, use);
    }
    from = step;
  }
}

/**
 * What a CSR has behind a step that wrote it, itself or through another one that shows a part of it, as vsie does of
 * mie; undefined: more than what is written to it decides what is found right before `at`.
 */
function leftIn(run: RunSteps, location: Of<'csr'>, step: StepNumber, at: StepNumber): bigint | undefined {
  if (isKept(location.number)) return valueBehind(run, location, step);
  const gate = gateOf(location.number);
  if (gate === undefined) return undefined;
  const behind = valueBehind(run, location, step);
  const shown = valueNow(run.run.machine, namedCsr(location.hart, gate));
  return shown === valueAt(run, namedCsr(location.hart, gate), at) ? behind : undefined;
}

const leftBy = (step: StepNumber, written: bigint, use: Use): Producer =>
  written === use.value ? { kind: 'step', step, use } : { kind: 'changed', step, written, use };

/** Fields that a return from a trap may change. */
const STATUS_FIELDS = fieldsOf('mstatus', 'sstatus', 'hstatus', 'vsstatus');

/** Fields that a trap into a mode (priv | virt << 2) writes. */
const TRAP_FIELDS: ReadonlyMap<number, ReadonlySet<string>> = new Map([
  [3, fieldsOf('mepc', 'mcause', 'mtval', 'mtval2', 'mtinst', 'mstatus')],
  [1, fieldsOf('sepc', 'scause', 'stval', 'htval', 'htinst', 'sstatus', 'hstatus')],
  [5, fieldsOf('vsepc', 'vscause', 'vstval', 'vsstatus')],
]);

function fieldsOf(...names: readonly string[]): ReadonlySet<string> {
  return new Set(
    names.flatMap((name) => {
      const location = csrByName(name) && namedCsr(0, name);
      return location?.kind === 'csr' ? [location.field] : [];
    }),
  );
}

const trapWrites = (mode: number, field: string): boolean => TRAP_FIELDS.get(mode)?.has(field) ?? false;

/** What a trap put into a CSR: the pc of what was trapped, or another word of the trap. */
export function trappedPc(step: Step, location: Location): boolean {
  return step.isTrap && location.kind === 'csr' && /epc$/.test(location.field);
}

/** The value of a location right before a step, as the run has it there. Moves the run. */
export function valueAt(run: RunSteps, location: Location, at: StepNumber): bigint {
  const { machine } = run.run;
  run.run.toTicks(run.get(at).ticks, 'applied');
  return valueNow(machine, location);
}

/** The value of a location right behind a step. Moves the run. */
function valueBehind(run: RunSteps, location: Location, step: StepNumber): bigint {
  run.run.toTicks(run.get(step).ticks + 1, 'pending');
  return valueNow(run.run.machine, location);
}

export function valueNow(machine: RunSteps['run']['machine'], location: Location): bigint {
  if (location.kind === 'csr') return machine.csr(location.hart, csrByNumber(location.number)!.name);
  if (location.kind === 'memory') {
    const bytes = machine.readPhysical(location.paddr, location.bytes);
    return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }
  const { x, f } = machine.hart(location.hart);
  const whole = location.number < 32 ? x[location.number]! : f[location.number - 32]!;
  return slice(whole, location.from, bytesOf(location));
}
