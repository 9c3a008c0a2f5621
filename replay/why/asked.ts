/**
 * What can be asked, and the value that a question is about, in both runs: what the words of a place mean in each of
 * them, and of memory the first bytes that differ. Relies on replay/language; each run is looked at where it stands.
 */
import { csrByName, UserError } from '../../engine/index.ts';
import type { Place, Position } from '../base/index.ts';
import { AbsentError, type Expression, type MachinePlace, printExpression, resolvePlace } from '../language/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import { type Location, namedCsr, type Use } from './flow.ts';
import { valueNow } from './producer.ts';

/** What somebody asks about: a place, in words; `bytes` of memory, unless it says by itself how many. */
export interface AskedPlace {
  readonly where: Expression;
  readonly bytes?: number;
}

export type WhyQuestion =
  /** Why a hart did something at a position of the wrong run that it does not do in the golden one. */
  | { readonly kind: 'did'; readonly at: Position; readonly hart?: number }
  /**
   * Why what a hart did at a position of the golden run did not happen. `isNamed`: somebody named this very step, and
   * it is an error when the wrong run does it, too.
   */
  | { readonly kind: 'not'; readonly at: Position; readonly hart?: number; readonly isNamed?: boolean }
  /** Why a device got another value: the stores at these positions of both runs. */
  | { readonly kind: 'stored'; readonly at: Position; readonly goldenAt: Position }
  /** Why a place has another value at a position of the wrong run than at the matching one of the golden run. */
  | (AskedPlace & { readonly kind: 'value'; readonly at: Place });

/** Bytes of memory that are followed at once. */
const WORD = 8;

/**
 * The place that the words mean in a run where it stands.
 * @throws UserError when it is none that instructions give a value to; AbsentError when it does not exist now
 */
export function placeIn(run: TraceTimeline, { where, bytes }: AskedPlace): MachinePlace {
  const { machine, symbols } = run;
  const place = resolvePlace(where, { machine, symbols }, bytes);
  const name = printExpression(where);
  if (place.kind === 'counter' || place.kind === 'vm') {
    throw new UserError(`'${name}' is no place that an instruction writes: expected a register, memory or output`);
  }
  if (place.kind === 'memory' && place.ranges.length === 0) {
    throw new AbsentError(`moment ${machine.moment}: ${place.missing}`);
  }
  if (place.kind === 'register' && place.hart >= machine.config.harts) {
    throw new UserError(`there is no hart ${place.hart}: this machine has harts 0 to ${machine.config.harts - 1}`);
  }
  return place;
}

/** Registers that say where a hart is: its path tells why. */
export const isPath = (place: MachinePlace): place is RegisterPlace & { readonly name: PathName } =>
  place.kind === 'register' && ['pc', 'mode', 'waiting'].includes(place.name);

type RegisterPlace = Extract<MachinePlace, { kind: 'register' }>;
type PathName = 'pc' | 'mode' | 'waiting';

/** The value of a place in both runs where they stand, and only the first word of it that differs. */
export function differingUses(
  a: TraceTimeline,
  b: TraceTimeline,
  ofA: MachinePlace,
  ofB: MachinePlace,
): { readonly a: Use; readonly b: Use } | undefined {
  for (const [one, other] of pairsOf(ofA, ofB)) {
    const pair = { a: foundIn(a, one), b: foundIn(b, other) };
    if (pair.a.value !== pair.b.value) return pair;
  }
  return undefined;
}

const foundIn = ({ machine }: TraceTimeline, location: Location): Use => ({
  location,
  value: valueNow(machine, location),
});

function* pairsOf(a: MachinePlace, b: MachinePlace): Generator<readonly [Location, Location]> {
  if (a.kind === 'register' && b.kind === 'register') {
    yield [registerLocation(a), registerLocation(b)];
    return;
  }
  if (a.kind !== 'memory' || b.kind !== 'memory') return;
  let done = 0;
  for (;;) {
    const [inA, inB] = [part(a, done), part(b, done)];
    const bytes = Math.min(inA?.bytes ?? 0, inB?.bytes ?? 0, WORD);
    if (!inA || !inB || bytes === 0) return;
    yield [
      { kind: 'memory', paddr: inA.paddr, bytes },
      { kind: 'memory', paddr: inB.paddr, bytes },
    ];
    done += bytes;
  }
}

/** Where the byte `from` of a place lies, and how many lie behind it without a gap. */
function part({ ranges }: Extract<MachinePlace, { kind: 'memory' }>, from: number) {
  let left = from;
  for (const { paddr, bytes } of ranges) {
    if (left < bytes) return { paddr: paddr + left, bytes: bytes - left };
    left -= bytes;
  }
  return undefined;
}

/** What the machine itself makes of time and of what was executed. */
const COUNTERS: readonly string[] = ['cycle', 'time', 'instret'];

/** @throws UserError when it counts by itself, as time does */
function registerLocation({ hart, name }: Extract<MachinePlace, { kind: 'register' }>): Location {
  const [, file, number] = /^([xf])(\d+)$/.exec(name) ?? [];
  if (file) {
    return { kind: 'register', hart, number: Number(number) + (file === 'f' ? 32 : 0), from: 0, bytes: 8 };
  }
  const csr = csrByName(name === 'vmid' ? 'hgatp' : name);
  const source = csr?.implementation?.source;
  if (!csr || source === undefined || COUNTERS.includes(source)) {
    throw new UserError(`hart${hart}.${name} counts by itself, and no instruction gives it its value`);
  }
  return namedCsr(hart, csr.name);
}

/**
 * The location of a place in one run where it stands.
 * @throws UserError when it is none, where a hart is, or more than a word; as `placeIn`
 */
export function onlyLocation(run: TraceTimeline, asked: AskedPlace): Location {
  const place = placeIn(run, asked);
  const name = printExpression(asked.where);
  if (isPath(place)) {
    throw new UserError(`'${name}' is where a hart is, and has no operands: a golden run tells why it came there`);
  }
  if (place.kind === 'register') return registerLocation(place);
  const first = place.kind === 'memory' ? part(place, 0) : undefined;
  if (place.kind !== 'memory' || !first || place.bytes > WORD) {
    const bytes = place.kind === 'memory' ? place.bytes : 0;
    throw new UserError(`'${name}' has ${bytes} bytes: say which ${WORD} of them, as [ADDR]:8, or fewer`);
  }
  if (first.bytes < place.bytes) {
    throw new UserError(`'${name}' is not all in one place of memory: ask about the bytes of one page, as [ADDR]:1`);
  }
  return { kind: 'memory', paddr: first.paddr, bytes: place.bytes };
}
