/**
 * Going to a moment that a person named. Relies on the trace for events, on searching (replay/search) for executions.
 * What the run does not have is one clear line, and leaves it where it was found out.
 */
import { insideVm, type Machine, UserError } from '../../engine/index.ts';
import {
  type InputsHere,
  MomentError,
  type Place,
  type Position,
  type TimeTravel,
  type Trigger,
} from '../base/index.ts';
import {
  type BreakpointHit,
  breakpointObserver,
  canBreakAt,
  type Observer,
  observe,
  type Slices,
} from '../search/index.ts';
import { eachEvent, momentsOf } from '../timeline/index.ts';
import { type EventName, formatMoment, type MomentBase, type MomentExpression } from './moment-text.ts';
import { type FoundSymbol, findSymbol } from './names.ts';

/**
 * Goes there, slice by slice, and says where that is. Of several positions with one moment: the first for a number of
 * instructions, exactly the one meant for events, virtual times and executions.
 * @throws MomentError or UserError when the run has no such moment; TraceError when it does not replay up to there
 */
export function* goToMoment(run: TimeTravel, moment: MomentExpression): Slices<Place> {
  const { base, offset, here } = moment;
  const point = base.kind === 'event' ? eventPoint(run, base.name, base.n) : yield* triggerPoint(run, base, moment);
  if (point.ticks === undefined) run.seek(checked(run, point.moment + offset, moment), here);
  else {
    run.toTicks(point.ticks, here);
    if (offset !== 0) run.seek(checked(run, run.machine.moment + offset, moment), here);
  }
  const { ticks } = run.machine;
  return { moment: run.machine.moment, ticks, here };
}

/** The first position of a moment, or exactly one by its virtual time. */
type Point = { readonly moment: number; readonly ticks?: undefined } | { readonly ticks: number };

function eventPoint({ trace, first, last }: TimeTravel, name: EventName, n: number): Position {
  if (name === 'start' && n === 1) return first;
  let found = 0;
  const others = new Set<string>(['start']);
  for (const event of eachEvent(trace)) {
    if (event.ticks > last.ticks) break;
    if (event.kind === name && ++found === n) return event;
    others.add(event.kind);
  }
  if (name === 'start' || found > 0) {
    throw new UserError(`there is no ${name}#${n}: ${trace.path} has ${Math.max(1, found)} of them`);
  }
  throw new UserError(`there is no '${name}' in ${trace.path}: its events are ${[...others].join(', ')}`);
}

function* triggerPoint(
  run: TimeTravel,
  { trigger, image }: Extract<MomentBase, { kind: 'trigger' }>,
  moment: MomentExpression,
): Slices<Point> {
  switch (trigger.kind) {
    case 'moment':
      return { moment: checked(run, trigger.moment, moment) };
    case 'ticks':
      return atTicks(run, trigger.ticks, moment);
    case 'hypervisor':
      run.seek(checked(run, trigger.after, moment));
      return instruction(run, trigger, moment);
    case 'two-level':
      goToTicks(run, trigger.ticks, moment);
      return instruction(run, trigger, moment);
    case 'symbol':
      // Without a virtual time they are counted from where the trace begins.
      goToTicks(run, trigger.ticks === 0 ? run.first.ticks : trigger.ticks, moment);
      return yield* execution(run, trigger, image, moment);
  }
}

/** Right before the k-th instruction that retires in the trigger's modes from the present on. */
function instruction(
  run: TimeTravel,
  { k, of = 'hypervisor' }: Extract<Trigger, { kind: 'hypervisor' | 'two-level' }>,
  moment: MomentExpression,
): Position {
  const { machine, last } = run;
  const before = machine.retired(of);
  run.advance({ count: { of, instructions: k }, ticks: last.ticks }, 'pending');
  const executed = machine.retired(of) - before;
  if (executed < k) throw tooFew(run, moment, executed, `${of === 'machine' ? 'M-mode' : of} instructions`);
  // It retired in the tick before this position: an instruction takes exactly one.
  return { moment: machine.moment - 1, ticks: machine.ticks - 1 };
}

type SymbolTrigger = Extract<Trigger, { kind: 'symbol' }>;

/** Right before the n-th time from the present on that a hart executes a place. */
function* execution(
  run: TimeTravel,
  { symbol, offset, n }: SymbolTrigger,
  image: string | undefined,
  moment: MomentExpression,
): Slices<Position> {
  const { machine, last } = run;
  const vm = /^vm(\d+)$/.exec(image ?? '');
  const at = { start: 0, end: 0 };
  const node = { image: vm ? undefined : image, vmid: vm ? Number(vm[1]) : undefined, name: symbol };
  const found = findSymbol({ kind: 'symbol', ...node, at }, run.symbols);
  if (found.bytes === 0n) throw new UserError(`'${symbol}' is a value and no place`);
  const observer = executionsOf(machine, found, offset);
  if (!observer)
    throw new UserError(`no instruction can be at ${formatMoment({ ...moment, offset: 0, here: 'applied' })}`);
  let seen = 0;
  /** The latest. */
  const hits: Position[] = [];
  yield* observe(run, { ticks: last.ticks, here: 'pending' }, observer, ({ moment: at, ticks }) => {
    if (ticks !== hits.at(-1)?.ticks) seen++;
    hits.splice(0, 1, { moment: at, ticks });
    return seen === n;
  });
  if (seen < n) throw tooFew(run, moment, seen, 'executions of it');
  return hits[0]!;
}

/** Sees them where that software runs; undefined where there can be no instruction. */
function executionsOf(machine: Machine, symbol: FoundSymbol, offset: number): Observer<BreakpointHit> | undefined {
  const linked = symbol.address + BigInt(offset);
  if (symbol.side === 'guest') {
    const isThere = ({ mode, vmid }: BreakpointHit) =>
      insideVm(mode) && (symbol.vmid === undefined || symbol.vmid === vmid);
    return linked % 2n === 0n ? breakpointObserver([], isThere, [linked]) : undefined;
  }
  const paddr = Number(symbol.loaded) + offset;
  const pcs = [BigInt(paddr), linked];
  if (!canBreakAt(machine, paddr)) return undefined;
  return breakpointObserver([paddr], ({ mode, pc }) => !insideVm(mode) && pcs.includes(pc));
}

function goToTicks(run: TimeTravel, ticks: number, moment: MomentExpression): void {
  run.toTicks(atTicks(run, ticks, moment).ticks, STARTING);
}
/** Searches begin with the machine as its next instruction finds it. */
const STARTING: InputsHere = 'applied';

function atTicks(
  { first, last, trace }: TimeTravel,
  ticks: number,
  moment: MomentExpression,
): { readonly ticks: number } {
  if (ticks < first.ticks) throw new MomentError(`${formatMoment(moment)} is before the start: ${momentsOf(trace)}`);
  if (ticks <= last.ticks) return { ticks };
  throw new MomentError(`${formatMoment(moment)}: ${trace.path} ends at ${last.ticks} ns of virtual time`);
}

function checked({ first, last, trace }: TimeTravel, target: number, moment: MomentExpression): number {
  if (target >= first.moment && target <= last.moment) return target;
  const side = target < first.moment ? 'before the start' : 'past the end';
  throw new MomentError(`${formatMoment(moment)} is ${side}: ${momentsOf(trace)}`);
}

const tooFew = ({ trace }: TimeTravel, moment: MomentExpression, found: number, what: string): MomentError =>
  new MomentError(`${formatMoment(moment)} is past the end: ${trace.path} has ${found} ${what} up to there`);
