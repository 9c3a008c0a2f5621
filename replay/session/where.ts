/**
 * Breakpoints and watchpoints as people type them: a place in the language of addresses, and what narrows it down.
 *
 *   heap_alloc   lazarus:heap_alloc+0x10   spa:0x80201000   va:0x10000@hart1   [any of them] mode=HS vm=2 hart=0
 *
 * Relies on replay/language for places. Physical places and symbols of the host hold in every address space.
 */
import { type Mode, noSuchName, UserError, visible } from '../../engine/index.ts';
import { addressOf, type Context, findSymbol, locate, parseExpression, resolvePlace } from '../language/index.ts';
import type { BreakpointHit, Observer } from '../search/index.ts';
import type { WatchedMemory } from '../watch/index.ts';
import { type BreakpointPlace, checkPlace, executionsAt } from './stops.ts';

const MODES: readonly Mode[] = ['M', 'HS', 'U', 'VS', 'VU'];
const NARROWED = /\s+(\w+)=(\S*)$/;

/** Where to stop. @throws UserError that says what was expected */
export function parseBreakpoint(text: string, context: Context): BreakpointPlace {
  const { place, narrowed } = split(text);
  const node = parseExpression(place);
  if (node.kind === 'symbol') {
    const symbol = findSymbol(node, context.symbols);
    if (symbol.side === 'host') return { paddr: Number(symbol.loaded), ...narrowed };
    // A guest's code is wherever its VMs have it: its own address says it for all of them.
    return { pc: symbol.address, mode: 'VS', ...(symbol.vmid !== undefined && { vmid: symbol.vmid }), ...narrowed };
  }
  const at = addressOf(node, context);
  if (at.space === 'va') return { pc: at.address, ...narrowed };
  const { ranges, missing } = locate(context.machine, at, 2);
  const paddr = ranges[0]?.paddr;
  if (paddr === undefined) throw new UserError(`no breakpoint at ${visible(place)}: ${missing}`);
  return { paddr, ...narrowed };
}

/** Sees each execution of a place that is written like a breakpoint. @throws UserError as `parseBreakpoint` */
export function parseExecutions(text: string, context: Context): Observer<BreakpointHit> {
  const place = parseBreakpoint(text, context);
  checkPlace(context.machine, place);
  return executionsAt([place]);
}

/** What memory to watch for writes. @throws UserError when it is no memory */
export function parseWatch(text: string, context: Context): WatchedMemory {
  const place = resolvePlace(parseExpression(text), context);
  if (place.kind !== 'memory')
    throw new UserError(`'${visible(text)}' is no memory: expected such as [spa:0x80215020]:8`);
  const { kind: _, ranges: _ranges, missing, bytes, ...at } = place;
  if (missing !== undefined) throw new UserError(`no watchpoint on ${visible(text)}: ${missing}`);
  return { at, bytes, writes: true };
}

function split(text: string): { readonly place: string; readonly narrowed: Partial<BreakpointPlace> } {
  const [, key = '', value = ''] = NARROWED.exec(text) ?? [];
  if (key === '') return { place: text, narrowed: {} };
  const rest = split(text.replace(NARROWED, ''));
  return { place: rest.place, narrowed: { ...rest.narrowed, ...narrowing(key, value) } };
}

function narrowing(key: string, value: string): Partial<BreakpointPlace> {
  if (key === 'mode') {
    const mode = MODES.find((name) => name === value);
    if (!mode) throw new UserError(noSuchName('mode', value, MODES));
    return { mode };
  }
  const n = /^\d{1,5}$/.test(value) ? Number(value) : undefined;
  if (key === 'vm' && n !== undefined) return { vmid: n };
  if (key === 'hart' && n !== undefined) return { hart: n };
  throw new UserError(`expected mode=HS, vm=1 or hart=0, got '${visible(`${key}=${value}`)}'`);
}
