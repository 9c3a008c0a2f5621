/**
 * Calls from the ecall to their end: what was asked for, and by which return to the caller it was answered.
 * Relies on an ecall being four bytes long, and on hypervisors keeping in sscratch the address of the vCPU that runs;
 * one that does not is served by its VMs' program counters. Holds a bounded number of calls that have not ended.
 */
import type { MachineEvent, PublishedCall, Registers } from '../../engine/index.ts';
import { sbiCall, sbiError } from './sbi.ts';
import type { LogCall } from './types.ts';

type Transition = Extract<MachineEvent, { kind: 'transition' }>;

const ECALL_BYTES = 4n;
/** vCPUs with calls that have not ended: more than any hypervisor of this machine has. */
const MAX_OPEN = 128;
/** Arguments that are shown of a call of which no more is known. */
const UNKNOWN_ARGUMENTS = 4;

/** A call that has not ended. */
interface Open {
  readonly call: LogCall;
  readonly vmid: number;
  readonly context: bigint;
  readonly pc: bigint;
}

/**
 * What an ecall asks for. `published`: the calls of the hypervisor, for those who ask it; firmware is asked by SBI's
 * rules alone.
 */
export function callOf(registers: Registers, published?: ReadonlyMap<bigint, PublishedCall>): LogCall {
  const number = registers.at(7);
  const fn = registers.at(6);
  const own = published?.get(number);
  const sbi = own ? undefined : sbiCall(number, fn);
  const count = (own ?? sbi)?.arguments ?? UNKNOWN_ARGUMENTS;
  const shown: bigint[] = [];
  while (shown.length < count) shown.push(registers.at(shown.length));
  const abi = own ? 'hypervisor' : sbi ? 'sbi' : 'unknown';
  const numbered = published ? `0x${number.toString(16)}` : `extension 0x${number.toString(16)} function ${fn}`;
  const name = (own ?? sbi)?.name ?? numbered;
  return { abi, name, number, function: fn, arguments: shown };
}

/** Calls of vCPUs that have not ended. */
export class VcpuCalls {
  private readonly open: Open[] = [];

  /** A call is made. What the same vCPU asked for before has ended somehow. */
  begin({ vmid, context, pc }: Transition, call: LogCall): void {
    const at = this.open.findIndex((one) => one.vmid === vmid && one.context === context);
    if (at >= 0) this.open.splice(at, 1);
    else if (this.open.length >= MAX_OPEN) this.open.shift();
    this.open.push({ call, vmid, context, pc });
  }

  /** A vCPU goes on: its call ends. It may be known by another context now, if hypervisors keep that for harts. */
  end(at: Transition): void {
    let found = -1;
    for (const [n, { vmid, context, pc }] of this.open.entries()) {
      if (vmid !== at.vmid) continue;
      const fits = at.pc === pc + ECALL_BYTES;
      if (context === at.context && (fits || at.pc === pc)) {
        found = n;
        break;
      }
      if (fits || (context === at.context && found < 0)) found = n;
    }
    if (found < 0) return;
    close(this.open[found]!, at);
    this.open.splice(found, 1);
  }

  /** No call is answered any more. */
  forget(): void {
    this.open.length = 0;
  }
}

/** Calls of harts to firmware that have not ended. */
export class HartCalls {
  private readonly open = new Map<number, Open>();

  begin({ hart, vmid, context, pc }: Transition, call: LogCall): void {
    this.open.set(hart, { call, vmid, context, pc });
  }

  /** The hart goes on: its call ends. */
  end(at: Transition): void {
    const open = this.open.get(at.hart);
    if (open) close(open, at);
    this.open.delete(at.hart);
  }

  forget(): void {
    this.open.clear();
  }
}

/** Gives a call its result. */
function close({ call, pc }: Open, { moment, ticks, work, registers, pc: goesOnAt }: Transition): void {
  const [a0, a1] = [registers.at(0), registers.at(1)];
  const how = goesOnAt === pc + ECALL_BYTES ? 'returned' : goesOnAt === pc ? 'retried' : 'elsewhere';
  const error = call.abi === 'sbi' && how === 'returned' && !isLegacy(call) ? sbiError(a0) : undefined;
  call.result = { how, moment, ticks, work, a0, a1, ...(error !== undefined && { error }) };
}

const isLegacy = ({ number, function: fn }: LogCall): boolean => sbiCall(number, fn)?.isLegacy === true;
