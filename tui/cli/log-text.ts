/**
 * What `dejavm log` prints for people: a line for each entry, and the summary as tables. Relies on entries being
 * decoded (replay/log); symbols are added where images have them.
 */
import { codeText, formatFault, type MachineSymbols } from '../../engine/index.ts';
import type { LogCall, LogEntry, LogSummary, LogTime } from '../../replay/index.ts';
import { counted, grouped, hex, table, virtualTime } from '../base/index.ts';

/** Widths of the columns: moments of a long run, and the longest kind. */
const MOMENT = 13;
const WHERE = 10;
const KIND = 9;

/** One line, without its end. */
export function entryLine(entry: LogEntry, symbols: MachineSymbols): string {
  const { moment, kind } = entry;
  const columns = [grouped(moment).padStart(MOMENT), whereText(entry).padEnd(WHERE), kind.padEnd(KIND)];
  return `${columns.join('  ')}  ${whatText(entry, symbols)}`.trimEnd();
}

/** `h1 vm2 VS`. */
function whereText({ hart, vmid, mode, kind }: LogEntry): string {
  if (hart === undefined) return '';
  const inVm = vmid !== undefined ? ` vm${vmid}` : '';
  const shown = mode !== undefined && kind !== 'entry' && !(mode === 'VS') ? ` ${mode}` : '';
  return `h${hart}${inVm}${shown}`;
}

function whatText(entry: LogEntry, symbols: MachineSymbols): string {
  const { kind, cause, call, csr, access, dma, note, input, before, to } = entry;
  if (call) return `${callText(call)}${placeText(entry, symbols)}`;
  if (cause) {
    const address = cause.gpa !== undefined ? `, gpa ${hex(cause.gpa)}` : '';
    const value = cause.interrupt || cause.tval === 0n ? '' : `, tval ${hex(cause.tval)}`;
    return `${cause.name}${address}${value}, to ${to}${placeText(entry, symbols)}`;
  }
  if (csr) return `${csr.name} ${hex(csr.before)} -> ${hex(csr.after)}${placeText(entry, symbols)}`;
  if (access) {
    const arrow = access.access === 'store' ? '<-' : '->';
    const place = `${access.device}+${hex(access.offset)}`;
    return `${place} ${arrow} ${hex(access.value, 2 * access.bytes)}${placeText(entry, symbols)}`;
  }
  if (dma) {
    const request = dma.queue === undefined ? '' : `, queue ${dma.queue}, descriptor ${dma.head}`;
    return `${dma.device} wrote ${counted(dma.bytes, 'byte')} at ${hex(dma.paddr)}${request}`;
  }
  if (note) return note.text;
  if (input) return inputText(input);
  if (kind === 'sched') {
    const was = before ? `VM ${before.vmid}${before.vmid === entry.vmid ? ` vCPU ${hex(before.vcpu)}` : ''}` : 'none';
    return `VM ${entry.vmid} vCPU ${hex(entry.vcpu!)}, before: ${was}`;
  }
  if (kind === 'entry') return `from ${entry.mode} to ${to}${placeText(entry, symbols)}`;
  return kind === 'reset' ? 'the machine starts over' : '';
}

function placeText({ pc, mode, to, kind, vmid }: LogEntry, symbols: MachineSymbols): string {
  if (pc === undefined) return '';
  const by = (kind === 'entry' ? to : mode) ?? 'M';
  const code = codeText(symbols.codeAt(by, pc, vmid));
  return `  pc ${hex(pc)}${code && ` ${code}`}`;
}

/** `console_write(0x80001000, 0x10) = 0x0`. */
function callText({ name, arguments: given, result, abi }: LogCall): string {
  const asked = `${name}(${given.map((value) => hex(value)).join(', ')})`;
  if (!result) return `${asked} = ?`;
  if (result.how !== 'returned') return `${asked}: ${result.how === 'retried' ? 'made again' : 'goes on elsewhere'}`;
  const { a0, a1, error } = result;
  const signed = BigInt.asIntN(64, a0);
  const status = error ?? (signed < 0n && signed > -4096n ? `${signed}` : hex(a0));
  return `${asked} = ${status}${abi === 'sbi' && !error && a1 !== 0n ? `, ${hex(a1)}` : ''}`;
}

function inputText(input: NonNullable<LogEntry['input']>): string {
  switch (input.kind) {
    case 'console':
      return `console: ${JSON.stringify(new TextDecoder('latin1').decode(input.bytes.subarray(0, 64)))}`;
    case 'net':
      return `network, slot ${input.slot}: ${counted(input.bytes.length, 'byte')}`;
    case 'poke':
      return `poke ${hex(input.paddr)}: ${counted(input.bytes.length, 'byte')}`;
    case 'fault':
      return formatFault(input.fault);
  }
}

/** The summary as tables, without a newline at the end. */
export function summaryText({ kinds, vms, sbi }: LogSummary): string {
  const counts = table([['kind', 'count'], ...kinds.map(({ kind, count }) => [kind, grouped(count)])], [1]);
  const perVm = vms.map(({ vmid, inside, outside }) => {
    const rows = [inside, ...outside];
    return `VM ${vmid}: inside, and outside by why it was left\n${timesText(rows)}`;
  });
  const calls = sbi.length > 0 ? [`SBI calls of the hypervisor\n${timesText(sbi)}`] : [];
  const legend = 'time: what the hart itself executed, 1 ns for each instruction or trap; elapsed: virtual time';
  return [counts, ...perVm, ...calls, ...(vms.length + sbi.length > 0 ? [legend] : [])].join('\n\n');
}

function timesText(rows: readonly LogTime[]): string {
  const cells = rows.map((row) => [
    row.name,
    grouped(row.count),
    virtualTime(row.hartTicks),
    virtualTime(row.count === 0 ? 0 : Math.round(row.hartTicks / row.count)),
    virtualTime(row.longest),
    row.longest === 0 ? '' : grouped(row.longestAt),
    virtualTime(row.ticks),
  ]);
  return table([['', 'count', 'time', 'mean', 'longest', 'at moment', 'elapsed'], ...cells], [1, 2, 3, 4, 5, 6]);
}
