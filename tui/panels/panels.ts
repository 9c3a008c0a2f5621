/**
 * The panels' contents as styled lines in full: disassembly, VMs, console. Whoever places them cuts or wraps them.
 * Relies on the session and its introspection; where a panel stands on the screen is layout.ts's job.
 */
import { codeText } from '../../engine/index.ts';
import { grouped, hex } from '../base/index.ts';
import { span } from './text.ts';
import type { DisassembledLine, Line, Session, Tone } from './types.ts';

/** How far the disassembly scrolls from pc, in instructions, either way: each frame decodes all of them. */
const REACH = 1000;

/** The offset nearest to `wished` at which the disassembly still has lines to show. */
export function scrolledCode(session: Session, height: number, wished: number): number {
  const offset = Math.min(Math.max(-REACH, wished), REACH);
  const above = linesAbove(height) - offset;
  if (above <= 0) return offset;
  const { machine } = session.travel;
  const { hart } = session.state;
  const code = session.introspection.disassemble(machine, hart, machine.hart(hart).pc, above, 0);
  return Math.max(offset, Math.min(0, linesAbove(height) - (code.length - 1)));
}

/** Instructions in front of pc when nothing is scrolled. */
const linesAbove = (height: number): number => Math.floor(height / 3);

/** Code around the hart's pc; a label line on top and wherever a new symbol begins. */
export function disassemblyLines(session: Session, height: number): Line[] {
  const { machine } = session.travel;
  const { hart, scroll } = session.state;
  const { pc } = machine.hart(hart);
  const above = linesAbove(height) - scroll.disassembly;
  const code = session.introspection.disassemble(machine, hart, pc, Math.max(0, above), Math.max(0, height - above));
  const here = code.findIndex((instruction) => instruction.address === pc);
  if (here < 0) return [[span(`>${hex(pc)}  (not mapped)`, 'error')]];
  const first = Math.max(0, Math.min(here - above, code.length - 1));
  const lines: Line[] = [];
  let symbol: string | undefined;
  let source: string | undefined;
  const hasBreakpoint = breakpointsHere(session);
  for (const instruction of code.slice(first, first + height)) {
    const name = instruction.symbol?.replace(/\+0x[0-9a-f]+$/, '');
    if (name !== undefined && name !== symbol) lines.push([span(`${instruction.symbol}:`, 'symbol')]);
    symbol = name;
    const line = instructionLine(instruction, instruction.address === pc, hasBreakpoint(instruction.address));
    // The first instruction of a source line says which it is.
    const fresh = instruction.source === source ? undefined : instruction.source;
    source = instruction.source;
    lines.push(fresh === undefined ? line : [...line, span(`  ${codeText({ source: fresh })}`, 'dim')]);
  }
  return lines.slice(0, height);
}

/** Tells at which addresses breakpoints are set, as the hart sees them; looks up each page once. */
function breakpointsHere({ debug: { stops }, travel: { machine }, state: { hart } }: Session) {
  const set = stops.all.flatMap((one) => (one.kind === 'breakpoint' ? [one] : []));
  const pages = new Map<bigint, number | undefined>();
  const physical = (address: bigint): number | undefined => {
    const offset = address & PAGE_MASK;
    const page = address - offset;
    if (!pages.has(page)) pages.set(page, machine.translate(hart, page, 'fetch'));
    const base = pages.get(page);
    return base === undefined ? undefined : base + Number(offset);
  };
  return (address: bigint): boolean =>
    set.some(({ paddr, pc }) => (paddr === undefined ? pc === address : paddr === physical(address)));
}

const PAGE_MASK = 4095n;

function instructionLine({ address, text }: DisassembledLine, current: boolean, stops: boolean): Line {
  const tone: Tone = current ? 'current' : 'plain';
  return [
    span(
      `${current ? '>' : ' '}${address.toString(16).padStart(8)}${stops ? ' *' : '  '}${text.replaceAll('\t', ' ')}`,
      tone,
    ),
  ];
}

/** One line per VM: VMID, name, state, where it runs. */
export function vmLines(session: Session): Line[] {
  const rows = session.introspection.vms(session.travel.machine);
  if (rows.length === 0) return [[span('no VM yet', 'dim')]];
  return rows.map((vm) => {
    const tone: Tone = vm.vmid >= 1 ? (`vm${((vm.vmid - 1) % 4) + 1}` as Tone) : 'plain';
    const where = vm.hart === undefined ? '-' : `hart ${vm.hart}`;
    const pc = vm.pc === undefined ? '' : ` ${vm.pc.toString(16)}`;
    return [span(`${String(vm.vmid).padStart(2)} ${vm.name}`, tone), span(` ${vm.state} ${where}${pc}`)];
  });
}

/** Console text written up to the present moment, newest at the bottom; each line behind its moment if wanted. */
export function consoleLines(session: Session, height: number, withMoments: boolean): Line[] {
  const all = session.travel.consoleLines();
  const { console: offset } = session.state.scroll;
  const end = Math.max(Math.min(height, all.length), all.length - offset);
  const momentWidth = grouped(session.travel.last.moment).length;
  return all.slice(Math.max(0, end - height), end).map(({ moment, text }) => {
    const line = [span(text)];
    if (withMoments) line.unshift(span(`${grouped(moment).padStart(momentWidth)} `, 'dim'));
    return line;
  });
}
