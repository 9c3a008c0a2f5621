/**
 * Memory, code and translations at places, as plain data. Relies on replay's language for where a place is, on the
 * engine's disassembler, and on the core's own walk for translations.
 */
import { disassembleAround, type Machine, RAM_BASE, type Translation } from '../../../engine/index.ts';
import {
  type Addressed,
  addressOf,
  addressText,
  type Context,
  type Expression,
  locate,
  type PhysicalRange,
  resolvePlace,
  virtualAt,
} from '../../../replay/index.ts';
import { UsageError } from '../../base/index.ts';

/** Memory: fewer bytes than were asked for where `missing` says why. */
export interface ShownMemory {
  readonly address: string;
  readonly data: Uint8Array;
  readonly ranges: readonly PhysicalRange[];
  readonly symbol?: string;
  readonly variable?: string;
  readonly missing?: string;
}

export interface ShownCode {
  readonly address: string;
  readonly lines: readonly {
    readonly address: bigint;
    readonly raw: number;
    readonly bytes: number;
    readonly text: string;
    readonly symbol?: string;
    readonly source?: string;
  }[];
}

export type ShownWalk = Translation & { readonly address: string };

/** Of an address that says no size. */
const SHOWN_BYTES = 64;
const MOST_BYTES = 65_536;
const BEFORE = 6;
const AFTER = 10;

/** The bytes of a place, as far as they are mapped to RAM. `wanted`: how many; those of the place itself. */
export function showMemory(context: Context, expression: Expression, wanted: number | undefined): ShownMemory {
  const { machine } = context;
  const hasSize = expression.kind === 'memory' || expression.kind === 'symbol';
  const place = resolvePlace(expression, context, wanted ?? (hasSize ? undefined : SHOWN_BYTES));
  if (place.kind !== 'memory') {
    const name = place.kind === 'register' ? `va:hart${place.hart}.${place.name}` : 'an address';
    throw new UsageError(`that is no memory: for what it points to, write ${name}`);
  }
  const { ranges, missing, ...at } = place.bytes > MOST_BYTES ? locate(machine, place, MOST_BYTES) : place;
  const data = Buffer.concat(ranges.map(({ paddr, bytes }) => machine.readPhysical(paddr, bytes)));
  const symbol = symbolAt(context, at);
  const variable = variableAt(context, at);
  return {
    address: addressText(at),
    data: new Uint8Array(data),
    ranges,
    ...(symbol !== undefined && { symbol }),
    ...(variable !== undefined && { variable }),
    ...(missing !== undefined && { missing }),
  };
}

/** Instructions around a place, decoded as whoever uses addresses of its space would fetch them. */
export function showCode(context: Context, expression: Expression): ShownCode {
  const at = codeAddress(context, expression);
  const { machine, symbols } = context;
  const code = disassembleAround(fetchedFrom(machine, at), 0, at.address, BEFORE, AFTER, symbols);
  const lines = code.map(({ symbol, source, text, ...line }) => ({
    ...line,
    text: text.replaceAll('\t', ' '),
    ...(symbol !== undefined && { symbol }),
    ...(source !== undefined && { source }),
  }));
  return { address: addressText(at), lines };
}

/** How an address translates for a load: the table entries that are read, and what comes of it. */
export function showWalk(context: Context, expression: Expression): ShownWalk {
  const { machine } = context;
  const at = codeAddress(context, expression);
  if (at.space === 'spa') {
    throw new UsageError('a physical address is not translated: expected a virtual one (va:) or one of a VM (vm1:)');
  }
  const translation =
    at.space === 'va'
      ? machine.explainTranslation(at.hart, at.address)
      : machine.explainTranslation(0, at.address, 'load', { hgatp: at.hgatp });
  return { address: addressText(at), ...translation };
}

/** A bare number is virtual here, of the hart whose instruction is next; a register's value is of its hart. */
function codeAddress(context: Context, expression: Expression): Addressed {
  const { machine } = context;
  if (expression.kind === 'number') return virtualAt(machine, machine.next().hart, expression.value);
  return addressOf(expression, context);
}

/** A machine whose hart 0 fetches from addresses of one space. */
function fetchedFrom(machine: Machine, at: Addressed): Parameters<typeof disassembleAround>[0] {
  const { config } = machine;
  if (at.space === 'va') {
    return {
      config,
      readPhysical: (paddr, bytes) => machine.readPhysical(paddr, bytes),
      hart: () => machine.hart(at.hart),
      translate: (_hart, va) => machine.translate(at.hart, va, 'fetch'),
    };
  }
  const mode = at.space === 'gpa' ? 'VS' : 'HS';
  return {
    config,
    readPhysical: (paddr, bytes) => machine.readPhysical(paddr, bytes),
    hart: () => ({ ...machine.hart(0), mode, ...(at.space === 'gpa' && { vmid: at.vmid }) }),
    translate: (_hart, address) => locate(machine, { ...at, address }, 1).ranges[0]?.paddr,
  };
}

function symbolAt({ machine, symbols }: Context, at: Addressed): string | undefined {
  if (at.space === 'va') {
    const { mode, vmid } = machine.hart(at.hart);
    return symbols.describe(mode, at.address, vmid);
  }
  if (at.space === 'gpa') return symbols.describe('VS', at.address, at.vmid);
  return at.address < BigInt(RAM_BASE) ? undefined : symbols.describePhysical(Number(at.address));
}

function variableAt({ machine, symbols }: Context, at: Addressed): string | undefined {
  if (at.space === 'spa') return symbols.variableAt('HS', at.address);
  if (at.space === 'gpa') return symbols.variableAt('VS', at.address, at.vmid);
  const { mode, vmid } = machine.hart(at.hart);
  return symbols.variableAt(mode, at.address, vmid);
}
