/** Accesses to memory for people and for --json: who, where, when, and what was there before and after. */
import { codeText, disassembleAt, type MachineSymbols, UserError } from '../../engine/index.ts';
import {
  type AccessHit,
  addressText,
  type MappingHit,
  type MemoryHit,
  type Place,
  parseExpression,
  resolvePlace,
  type TraceTimeline,
  type WatchedMemory,
} from '../../replay/index.ts';
import type { Trace } from '../../traces/index.ts';
import { counted, grouped, hex, table, virtualTime } from '../base/index.ts';

/** What was asked. */
export interface AccessQuestion {
  /** As it was typed, and where that is. */
  readonly where: string;
  readonly address: string;
  readonly bytes: number;
  readonly what: 'writes' | 'changes' | 'reads';
}

/**
 * The memory that WHERE names, and the question about it; at the moment that the run is at.
 * @throws UserError when it is none, or not mapped there
 */
export function askAbout(
  where: string,
  run: TraceTimeline,
  what: AccessQuestion['what'],
  size?: number,
): { readonly memory: WatchedMemory; readonly question: AccessQuestion } {
  const place = resolvePlace(parseExpression(where), { machine: run.machine, symbols: run.symbols }, size);
  if (place.kind !== 'memory') {
    throw new UserError(
      `'${where}' is no memory: expected an address such as spa:0x80201000, vm1:0x80001000, a symbol`,
    );
  }
  if (place.ranges.length === 0) throw new UserError(`moment ${run.machine.moment}: ${place.missing}`);
  const { bytes } = place;
  return { memory: { at: place, bytes, [what]: true }, question: { where, address: addressText(place), bytes, what } };
}

/** An access, or a change of the mapping, as --json prints it. */
export type DescribedHit = ReturnType<typeof describeHit>;

/** With symbol and source line of the instruction, as the image of its mode has them. */
export function describeHit(hit: MemoryHit, symbols: MachineSymbols) {
  const { moment, ticks, here = 'applied', by, hart, mode, vmid, pc, device, request } = hit;
  const who = {
    moment,
    ticks,
    inputs: here,
    by,
    ...(hart !== undefined && { hart }),
    ...(mode && { mode }),
    ...(vmid !== undefined && isGuest(mode) && { vmid }),
    ...(pc !== undefined && { pc }),
    ...(pc !== undefined && mode && symbols.codeAt(mode, pc, vmid)),
    ...(device !== undefined && { device }),
    ...(request && { request }),
  };
  // Of firmware or hypervisor: those run at physical addresses.
  const named = (part: AccessHit['parts'][number]) => {
    const variable = symbols.variableAt('HS', BigInt(part.paddr));
    return { ...part, ...(variable !== undefined && { variable }) };
  };
  if (hit.kind === 'mapping') return { kind: hit.kind, ...who, entry: named(hit.entry), from: hit.from, to: hit.to };
  return { kind: hit.kind, ...who, parts: hit.parts.map(named), furtherParts: hit.further };
}

const isGuest = (mode: string | undefined): boolean => mode === 'VS' || mode === 'VU';

/** The exact position right before an access, as -g takes it. */
export const momentOf = ({ ticks, here = 'applied' }: Pick<MemoryHit, 'ticks' | 'here'>): string =>
  `${ticks}ns${here === 'pending' ? '-' : ''}`;

/** The accessing instruction; the run stands right before it. undefined: it was no instruction. */
export function instructionOf({ hart, pc }: MemoryHit, { machine, symbols }: TraceTimeline): string | undefined {
  if (hart === undefined || pc === undefined || machine.hart(hart).pc !== pc) return undefined;
  return disassembleAt(machine, hart, pc, 1, symbols)[0]?.text.replaceAll('\t', ' ');
}

/** The last one in one line. */
export function hitLine(hit: DescribedHit): string {
  const at = hit.pc === undefined ? '' : ` at ${codeText(hit) || hex(hit.pc, 8)}`;
  const what = whatRows(hit).map(([, text]) => text);
  return `${whoText(hit)}${at}: ${what.join('; ')}`;
}

/** The last one, or that there is none. */
export function lastHitText(
  question: AccessQuestion,
  before: Place,
  hit: DescribedHit | undefined,
  instruction: string | undefined,
  beginning: Pick<Trace, 'first' | 'header'>,
): string {
  const { where, address, bytes, what } = question;
  const name = nameOf(where, address);
  const until = `before moment ${grouped(before.moment)}`;
  if (!hit) {
    return `nothing ${VERBS[what]} ${name}, ${counted(bytes, 'byte')}, ${until}: ${beginningText(beginning)}`;
  }
  const rows = [
    ['moment', `${grouped(hit.moment)}, ${virtualTime(hit.ticks)} of virtual time`],
    ['by', whoText(hit)],
    ...(hit.pc === undefined ? [] : [['pc', [hex(hit.pc, 8), codeText(hit)].filter(Boolean).join('  ')]]),
    ...(instruction === undefined ? [] : [['instruction', instruction]]),
    ...whatRows(hit),
  ];
  return `${name}, ${counted(bytes, 'byte')}, was last ${PAST[what]} ${until}:\n\n${table(rows)}`;
}

/** Why there is no earlier access: what a run, or the part of it that a trace holds, begins with. */
export const beginningText = ({ first, header }: Pick<Trace, 'first' | 'header'>): string =>
  header.cut
    ? `it is as this trace begins with it, at moment ${grouped(first.moment)}; what was before is in recording ` +
      header.cut.of
    : 'it is as the machine started with it';

/** All of them, a line each. */
export function hitsText(question: AccessQuestion, before: Place, hits: readonly DescribedHit[]): string {
  const { where, address, bytes, what } = question;
  const name = nameOf(where, address);
  const head = `${counted(hits.length, 'time')} ${PAST[what]} before moment ${grouped(before.moment)}: ${name}, ${counted(bytes, 'byte')}`;
  if (hits.length === 0) return head;
  const rows = hits.map((hit) => [
    grouped(hit.moment),
    whoText(hit),
    hit.pc === undefined ? '' : hex(hit.pc, 8),
    codeText(hit),
    whatRows(hit)
      .map(([, text]) => text)
      .join('; '),
  ]);
  return `${head}\n\n${table([['moment', 'by', 'pc', 'symbol', 'what'], ...rows], [0])}`;
}

/** A symbol or register is followed by the address that it means. */
export const nameOf = (where: string, address: string): string =>
  where.replaceAll('_', '') === address.replaceAll('_', '') ? address : `${where} (${address})`;

const VERBS = { writes: 'wrote to', changes: 'changed', reads: 'read' } as const;
const PAST = { writes: 'written', changes: 'changed', reads: 'read' } as const;

const BY: Record<MemoryHit['by'], string> = {
  load: 'load',
  store: 'store',
  'table-read': "page walk's read",
  'table-write': 'page walk that sets A or D',
  'dma-read': 'DMA read',
  'dma-write': 'DMA write',
  input: 'input from outside (fault or poke)',
  reset: 'reset',
};

function whoText({ by, hart, mode, vmid, device, request }: DescribedHit): string {
  const inVm = vmid === undefined ? '' : ` of VM ${vmid}`;
  const place = hart === undefined ? '' : `, hart ${hart} in ${mode}${inVm}`;
  const serving = request ? `, queue ${request.queue}, descriptor ${request.head}` : '';
  return `${BY[by]}${place}${device === undefined ? '' : ` of ${device}${serving}`}`;
}

type Part = AccessHit['parts'][number] & { readonly variable?: string };

const READS: readonly MemoryHit['by'][] = ['load', 'table-read', 'dma-read'];

/** A write of what is there already is told as one. */
const partText = ({ paddr, bytes, before, after, variable }: Part, isRead = false): string =>
  `${counted(bytes, 'byte')} at spa:${hex(paddr)}${variable === undefined ? '' : ` (${variable})`}: ${hex(before)}${isRead ? '' : ` → ${hex(after)}`}`;

/** Parts of an access that are told one by one. */
const MOST_PARTS = 8;

function whatRows(hit: DescribedHit): string[][] {
  if (hit.kind === 'mapping') {
    return [
      ['table entry', partText(hit.entry)],
      ['address', `was at ${rangesText(hit.from)}, is at ${rangesText(hit.to)} since`],
    ];
  }
  const isRead = READS.includes(hit.by);
  const rows = hit.parts.slice(0, MOST_PARTS).map((part, n) => [n === 0 ? 'bytes' : '', partText(part, isRead)]);
  const more = hit.parts.length - rows.length + hit.furtherParts;
  return more > 0 ? [...rows, ['', `and ${counted(more, 'more part')}`]] : rows;
}

const rangesText = (ranges: MappingHit['from']): string =>
  ranges.length === 0 ? 'no memory' : ranges.map(({ paddr }) => `spa:${hex(paddr)}`).join(', ');
