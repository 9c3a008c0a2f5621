/** What `show` tells, as text for people. Relies on collect.ts for the data and on the panels for registers. */
import { hex as grouped4, type Machine, codeText as nameOfCode, visible } from '../../../engine/index.ts';
import type { Context } from '../../../replay/index.ts';
import { grouped, hex, table, virtualTime } from '../../base/index.ts';
import { nameOf, type RegisterSet, registerLines, textOf } from '../../panels/index.ts';
import { trapLoopLines } from '../trap-loops.ts';
import { placeText } from '../where.ts';
import type { Shown, ShownPlace } from './collect.ts';
import { hexDump } from './hex-dump.ts';
import type { Part } from './request.ts';

type Of<K extends ShownPlace['kind']> = Extract<ShownPlace, { readonly kind: K }>;

const SETS: readonly (readonly [Part, RegisterSet])[] = [
  ['regs', 'integer'],
  ['float', 'float'],
  ['csr', 'csr'],
];

/** Everything that was collected, one part after another. `columns`: how wide registers may be set. */
export function showText(
  shown: Shown,
  { machine, symbols }: Context,
  parts: ReadonlySet<Part>,
  columns: number,
): string {
  const { moment, ticks, inputs, where, registers, vms, locks, sched, places = [] } = shown;
  const before = inputs === 'pending' ? ', before its inputs' : '';
  const sections = [
    // where says the moment itself.
    where
      ? [
          placeText({ moment, ticks, harts: where.harts }).replace('\n', `${before}\n`),
          ...trapLoopLines(machine, symbols),
        ].join('\n')
      : `moment ${grouped(moment)}, ${virtualTime(ticks)} of virtual time${before}`,
    ...(registers ?? []).map((hart) => registersText(hart, machine, parts, columns)),
    ...(vms ? [vmsText(vms)] : []),
    ...(locks ? [locksText(locks)] : []),
    ...(sched ? [scheduleText(sched)] : []),
    ...places.map(placeSection),
  ];
  return sections.join('\n\n');
}

function registersText(
  { hart, next, mode, waiting, vmid }: NonNullable<Shown['registers']>[number],
  machine: Machine,
  parts: ReadonlySet<Part>,
  columns: number,
): string {
  const inside = mode === 'VS' || mode === 'VU' ? ` of VM ${vmid}` : '';
  const more = [...(next ? ['next'] : []), ...(waiting ? ['waits in wfi'] : [])];
  const title = [`hart ${hart}: ${mode}-mode${inside}`, ...more].join(', ');
  const sets = SETS.filter(([part]) => parts.has(part)).map(([, registerSet]) =>
    registerLines(machine, { hart, registerSet, baseline: [] }, columns)
      .map((line) => textOf(line).trimEnd())
      .join('\n'),
  );
  return [title, ...sets].join('\n');
}

const problemLines = (problems: readonly string[]): string[] => problems.map((problem) => `! ${visible(problem)}`);

function vmsText({ vms, problems, source }: NonNullable<Shown['vms']>): string {
  const rows = vms.map(({ vmid, name, state, hart, pc, hgatp, ...code }) => [
    ...[`VM ${vmid}`, name, state, hart === undefined ? '-' : `hart ${hart}`],
    ...[pc === undefined ? '-' : `pc ${hex(pc, 8)}`, nameOfCode(code), `hgatp ${hex(hgatp)}`],
  ]);
  const none = source === 'layout' ? 'no VM yet' : 'no hart has a VM';
  return [rows.length > 0 ? table(rows) : none, ...problemLines(problems)].join('\n');
}

function locksText({ locks, problems }: NonNullable<Shown['locks']>): string {
  const rows = locks.map(({ name, paddr, owner }) => [
    'lock',
    name,
    hex(paddr, 8),
    owner === undefined ? 'free' : `held by hart ${owner}`,
  ]);
  return [...(rows.length > 0 ? [table(rows)] : []), ...problemLines(problems)].join('\n');
}

type Vcpu = NonNullable<Shown['sched']>['harts'][number]['queue'][number];

function scheduleText({ harts, problems }: NonNullable<Shown['sched']>): string {
  const named = ({ name, paddr, state }: Vcpu) => `${name ?? `vCPU ${hex(paddr)}`}${state ? ` (${state})` : ''}`;
  const rows = harts.map(({ hart, current, loaded, queue }) => [
    `hart ${hart}`,
    `runs ${current ? named(current) : 'none'}`,
    `loaded ${loaded ? named(loaded) : 'none'}`,
    `queue ${queue.length > 0 ? queue.map(named).join(', ') : 'empty'}`,
  ]);
  return [...(rows.length > 0 ? [table(rows)] : []), ...problemLines(problems)].join('\n');
}

function placeSection(place: ShownPlace): string {
  switch (place.kind) {
    case 'mem':
      return memoryText(place);
    case 'dis':
      return codeText(place);
    case 'walk':
      return walkText(place);
    case 'value':
      return valueText(place);
  }
}

function valueText({ place, value }: Of<'value'>): string {
  const text = typeof value === 'string' ? value : value < 10n ? `${value}` : `${hex(value)} (${grouped(value)})`;
  return `${visible(place)} = ${visible(text)}`;
}

function memoryText({ place, address, data, ranges, symbol, variable, missing }: Of<'mem'>): string {
  const start = BigInt(address.replaceAll('_', '').replace(/^.*:|@.*$/g, ''));
  const physical = ranges.map(({ paddr, bytes }) => `${grouped4(paddr)} (${bytes} bytes)`).join(', ');
  // A variable as a whole is what its symbol says.
  const part = variable !== undefined && /[.[]/.test(variable) ? variable : '';
  const what = [visible(symbol ?? ''), part, address.startsWith('spa:') ? '' : `at spa ${physical}`];
  const title = [visible(nameOf(place, address)), ...what.filter((text) => text !== '' && text !== 'at spa ')].join(
    ', ',
  );
  return [`${title}:`, ...hexDump(start, data), ...(missing === undefined ? [] : [`! ${missing}`])].join('\n');
}

function codeText({ place, address, lines }: Of<'dis'>): string {
  if (lines.length === 0) return `${visible(place)}: nothing is mapped at ${address}`;
  const at = BigInt(address.replaceAll('_', '').replace(/^.*:|@.*$/g, ''));
  const rows = lines.map((line, n) => [
    line.address === at ? '>' : ' ',
    hex(line.address, 8),
    line.raw.toString(16).padStart(2 * line.bytes, '0'),
    line.text,
    // A line's first instruction says which it is.
    nameOfCode(
      line.source === lines[n - 1]?.source ? { ...(line.symbol !== undefined && { symbol: line.symbol }) } : line,
    ),
  ]);
  return `${visible(place)}:\n${table(rows)}`;
}

const STAGES = { single: 'single', vs: 'VS', g: 'G' } as const;
const FAULTS = { page: 'page fault', access: 'access fault', 'guest-page': 'guest-page fault' } as const;
const IMPLICIT = {
  read: ' while the VS-stage reads its tables',
  write: ' while the VS-stage updates its tables',
} as const;

function walkText({ place, address, steps, paddr, pmp, fault }: Of<'walk'>): string {
  const rows = steps.map(({ stage, level, paddr: at, pte }) => [
    `  ${STAGES[stage]}-stage`,
    `level ${level}`,
    `entry at ${grouped4(at)}`,
    hex(pte, 16),
    entryText(pte),
  ]);
  const translated = `  leads to spa ${paddr === undefined ? '' : grouped4(paddr)}${pmp ? `; ${pmpText(pmp)}` : ''}`;
  const gpa = fault?.gpa === undefined ? '' : ` at guest-physical ${grouped4(fault.gpa)}`;
  const failed =
    fault && `  a load takes a ${FAULTS[fault.cause]}${gpa}${fault.implicit ? IMPLICIT[fault.implicit] : ''}`;
  const none = steps.length === 0 ? ['  no table is read'] : [table(rows)];
  return [`${visible(nameOf(place, address))}, translated for a load:`, ...none, failed ?? translated].join('\n');
}

/** Flags of a table entry, and the page that it names. @see Volume II, "Sv39", figure of a page-table entry */
function entryText(pte: bigint): string {
  if ((pte & 1n) === 0n) return 'not valid';
  const flags = [...'VRWXUGAD'].map((flag, bit) => ((pte >> BigInt(bit)) & 1n ? flag : '-')).join('');
  const page = ((pte >> 10n) & 0xfff_ffff_ffffn) << 12n;
  return `${flags} ${pte & 0b1110n ? 'page' : 'table'} ${grouped4(page)}`;
}

function pmpText({ allowed, entry }: NonNullable<Of<'walk'>['pmp']>): string {
  const says = allowed ? 'allows it' : 'forbids it';
  return entry === undefined ? `no PMP entry matches, which ${says}` : `PMP entry ${entry} ${says}`;
}
