/** The stack at a moment, for people and for --json: parts of several programs, each with its frames. */
import {
  codeText,
  exceptionName,
  interruptName,
  listVms,
  type Machine,
  type MachineSymbols,
} from '../../engine/index.ts';
import type { Backtrace, StackFrame, StackPart } from '../../replay/index.ts';
import { grouped, hex, table, virtualTime } from '../base/index.ts';

/** A stack, as --json prints it. */
export type DescribedStack = ReturnType<typeof describeStack>;

/** With symbols and source lines, and which vCPUs were interrupted. */
export function describeStack({ parts, end, anew }: Backtrace, machine: Machine, symbols: MachineSymbols) {
  const isInVm = parts.some(({ vmid }) => vmid !== undefined);
  const vms = isInVm ? listVms(machine, symbols.hypervisor).vms : [];
  return {
    parts: parts.map((part) => {
      const { place, hart, mode, vmid, trap, frames, ended, end: why } = part;
      const vm = vms.find((its) => its.vmid === vmid);
      const vcpu = vm?.vcpus.findIndex(({ address }) => trap && BigInt(address) === trap.context) ?? -1;
      return {
        ...{ moment: place.moment, ticks: place.ticks, inputs: place.here, hart, mode },
        ...(vmid !== undefined && { vmid }),
        ...(vcpu >= 0 && { vcpu }),
        ...(trap?.trap && { trap: { ...causeOf(trap.trap), pc: trap.pc } }),
        frames: frames.map((frame) => describeFrame(frame, part, symbols)),
        ...{ ended, why },
      };
    }),
    end,
    ...(anew && { anew: { moment: anew.moment, from: anew.from, pc: anew.pc } }),
  };
}

function describeFrame(frame: StackFrame, { mode, vmid }: StackPart, symbols: MachineSymbols) {
  const { pc, sp, by, isSure, isNext } = frame;
  // A call may be the last instruction of its function.
  const back = isNext ? 0n : 1n;
  const found = symbols.lookup(mode, pc - back, vmid);
  const offset = found && found.offset + back;
  const { source } = symbols.codeAt(mode, pc - back, vmid);
  return {
    pc,
    ...(sp !== undefined && { sp }),
    ...(found && { symbol: offset === 0n ? found.name : `${found.name}+0x${offset!.toString(16)}` }),
    ...(source !== undefined && { source }),
    by,
    sure: isSure,
  };
}

function causeOf({ cause, interrupt, tval }: NonNullable<NonNullable<StackPart['trap']>['trap']>) {
  return { cause, interrupt, name: interrupt ? interruptName(cause) : exceptionName(cause), tval };
}

/** For people. */
export function stackText({ parts, end, anew }: DescribedStack): string {
  const rows: string[][] = [];
  const titles: { readonly before: number; readonly text: string }[] = [];
  const title = (text: string) => titles.push({ before: rows.length, text });
  let n = 0;
  for (const [i, part] of parts.entries()) {
    if (part.trap) title(trapText(part, part.hart === parts[0]!.hart));
    for (const { pc, sp, sure, by, ...name } of part.frames) {
      const code = codeText(name);
      const how = sure ? '' : by === 'ra' ? 'perhaps: by ra alone' : 'perhaps: its call leads elsewhere';
      rows.push([`#${n++}`, hex(pc, 8), code === '' ? '-' : code, sp === undefined ? '' : `sp ${hex(sp)}`, how]);
    }
    const isLast = i === parts.length - 1;
    if (part.ended === 'lost') title(`    no further: ${part.why}`);
    else if (part.ended === 'depth') title(`    ${part.why}`);
    else if (part.ended === 'handler' && isLast && end === 'whole')
      title('    no further: the run has no trap that led here');
  }
  if (anew) title(`--- begun anew by ${anew.from}-mode, at moment ${grouped(anew.moment)} ---`);
  const lines = table(rows).split('\n');
  const text = lines.flatMap((line, row) => [
    ...titles.filter((its) => its.before === row).map((its) => its.text),
    line,
  ]);
  return [...text, ...titles.filter((its) => its.before >= rows.length).map((its) => its.text)].join('\n');
}

function trapText(
  { mode, vmid, vcpu, trap, moment, ticks, hart }: DescribedStack['parts'][number],
  isSameHart: boolean,
) {
  const vm = vmid === undefined ? '' : ` of VM ${vmid}${vcpu === undefined ? '' : ` vCPU ${vcpu}`}`;
  const where = isSameHart ? '' : ` on hart ${hart}`;
  const who = `${mode}${vm}`;
  return `--- trap from ${who}${where}: ${trap!.name}, at moment ${grouped(moment)}, ${virtualTime(ticks)} ---`;
}
