/**
 * The panels' contents as styled lines, cut to their width: disassembly, VMs, console, header, status and help.
 * Relies on the session and its introspection; where a panel stands on the screen is screen.ts's job.
 */
import { grouped, hex, virtualTime } from '../format.ts';
import { ACTIONS } from './actions.ts';
import { type DisassembledLine, type Line, type Session, span, type Tone } from './types.ts';

/** Code around the hart's pc; a label line on top and wherever a new symbol begins. */
export function disassemblyLines(session: Session, width: number, height: number): Line[] {
  const { machine } = session.travel;
  const { hart, scroll } = session.state;
  const { pc } = machine.hart(hart);
  const reach = height + Math.abs(scroll.disassembly);
  const code = session.introspection.disassemble(machine, hart, pc, reach, reach);
  const here = code.findIndex((instruction) => instruction.address === pc);
  if (here < 0) return [[span(`>${hex(pc)}  (not mapped)`, 'error')]];
  const first = Math.max(0, Math.min(here - Math.floor(height / 3) + scroll.disassembly, code.length - 1));
  const lines: Line[] = [];
  let symbol: string | undefined;
  for (const instruction of code.slice(first, first + height)) {
    const name = instruction.symbol?.replace(/\+0x[0-9a-f]+$/, '');
    if (name !== undefined && name !== symbol) lines.push([span(`${instruction.symbol}:`, 'symbol')]);
    symbol = name;
    lines.push(instructionLine(instruction, instruction.address === pc));
  }
  return lines.slice(0, height).map((line) => clip(line, width));
}

function instructionLine({ address, text }: DisassembledLine, current: boolean): Line {
  const tone: Tone = current ? 'current' : 'plain';
  return [span(`${current ? '>' : ' '}${address.toString(16).padStart(8)}  ${text.replaceAll('\t', ' ')}`, tone)];
}

/** One line per VM: name, VMID, state, where it runs. */
export function vmLines(session: Session, width: number): Line[] {
  const rows = session.introspection.vms(session.travel.machine);
  if (rows.length === 0) return [[span('no VM yet', 'dim')]];
  return rows.map((vm) => {
    const tone: Tone = vm.vmid >= 1 ? (`vm${((vm.vmid - 1) % 4) + 1}` as Tone) : 'plain';
    const where = vm.hart === undefined ? '-' : `hart ${vm.hart}`;
    const pc = vm.pc === undefined ? '' : ` ${vm.pc.toString(16)}`;
    return clip([span(`${String(vm.vmid).padStart(2)} ${vm.name}`, tone), span(` ${vm.state} ${where}${pc}`)], width);
  });
}

/** Narrower consoles leave out the moments. */
const MOMENTS_FROM_WIDTH = 60;

/** Console text written up to the present moment, newest at the bottom. */
export function consoleLines(session: Session, width: number, height: number): Line[] {
  const all = session.travel.consoleLines();
  const { console: offset } = session.state.scroll;
  const end = Math.max(Math.min(height, all.length), all.length - offset);
  const momentWidth = grouped(session.travel.last.moment).length;
  return all.slice(Math.max(0, end - height), end).map(({ moment, text }) => {
    const line = [span(printable(text))];
    if (width >= MOMENTS_FROM_WIDTH) line.unshift(span(`${grouped(moment).padStart(momentWidth)} `, 'dim'));
    return clip(line, width);
  });
}

/** Where we are. */
export function headerLine(session: Session): Line {
  const { travel, state } = session;
  const { pc, mode, vmid } = travel.machine.hart(state.hart);
  const symbol = session.introspection.symbol(travel.machine, state.hart, pc) ?? '';
  const inVm = mode === 'VS' || mode === 'VU';
  const place = `hart ${state.hart} ${mode}${inVm ? ` VM ${vmid}` : ''}`;
  return clip(
    [
      span(`moment ${grouped(travel.moment)}`, 'strong'),
      span(` of ${grouped(travel.last.moment)}  ${virtualTime(travel.machine.ticks)}  `),
      span(place, 'focus'),
      span(` ${hex(pc)} `),
      span(symbol, 'symbol'),
    ],
    state.columns,
  );
}

/** The bottom line: what is being typed, or what happened last and how to get help. */
export function statusLine(session: Session): Line {
  const { state, lanes, travel } = session;
  if (state.prompt !== undefined) return clip([span(`:${state.prompt}`), span('_', 'current')], state.columns);
  const scanned = Math.floor((lanes.scannedTo / Math.max(1, travel.last.moment)) * 100);
  const hint = `${state.count} ${scanned < 100 ? `timeline ${scanned}%  ` : ''}? help  : command  q quit`;
  const message = clip([span(state.message, state.isError ? 'error' : 'plain')], state.columns - hint.length - 1);
  const gap = ' '.repeat(Math.max(1, state.columns - hint.length - widthOf(message)));
  return [...message, span(gap), span(hint, 'dim')];
}

/** The key table, for the overlay. */
export function helpLines(width: number): Line[] {
  const keyText = (keys: readonly string[]) => keys.map((key) => (key === 'C-c' ? 'Ctrl-C' : key)).join(' ');
  return ACTIONS.map((action) => {
    const command = `:${action.name}${action.argument ? ` ${action.argument}` : ''}`;
    return clip([span(keyText(action.keys).padEnd(16), 'focus'), span(command.padEnd(13)), span(action.help)], width);
  });
}

/** Cuts a line to a width in columns; all text is single-width by then. */
export function clip(line: Line, width: number): Line {
  const out = [];
  let left = width;
  for (const piece of line) {
    if (left <= 0) break;
    out.push(piece.text.length <= left ? piece : span(piece.text.slice(0, left), piece.tone));
    left -= piece.text.length;
  }
  return out;
}

const widthOf = (line: Line): number => line.reduce((sum, piece) => sum + piece.text.length, 0);

/** Guest output may hold anything, also escape sequences: only printable ASCII reaches the user's terminal. */
const printable = (text: string): string => text.replaceAll('\t', '  ').replace(/[^\x20-\x7e]/g, '.');
