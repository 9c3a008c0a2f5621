/**
 * Where the demo shoots: at the hypervisor, inside a hypercall, while it holds a lock in its heap. Found by looking at
 * the golden run, never by a number written down. Relies on transitions observed while the golden run was recorded.
 */
import { insideVm, type MachineEvent, type Moment, readMachineSymbols } from '../../../engine/index.ts';
import { openTimeline } from '../../../replay/index.ts';
import type { Trace } from '../../../traces/index.ts';

export interface Hypercall {
  /** The ecall trapped right after this moment; the VM was entered again at `end`. */
  readonly start: Moment;
  readonly end: Moment;
  readonly hart: number;
  readonly vmid: number;
}

export interface Aim {
  readonly hypercall: Hypercall;
  /** The k-th HS-mode instruction after `hypercall.start` is never executed. */
  readonly k: number;
  /** Function and offset of that instruction. */
  readonly symbol: string;
}

/** Cause of an ecall from VS-mode (manual, table of mcause values). */
const ECALL_FROM_VS = 10;

/** Collects hypercalls that no other hart's turn cut in two, so that every moment between belongs to them. */
export class HypercallWatch {
  readonly hypercalls: Hypercall[] = [];
  private open: Hypercall | undefined;

  observe(event: MachineEvent): void {
    if (event.kind !== 'transition') return;
    const { open } = this;
    if (event.trap && !event.trap.interrupt && event.trap.cause === ECALL_FROM_VS && event.to === 'HS') {
      this.open = { start: event.moment, end: event.moment, hart: event.hart, vmid: event.vmid };
    } else if (open && event.hart === open.hart && !event.trap && insideVm(event.to)) {
      this.hypercalls.push({ ...open, end: event.moment });
      this.open = undefined;
    } else {
      this.open = undefined;
    }
  }
}

/**
 * The first instruction of `critical` that runs after `lock` did, in the first hypercall of the run's second half that
 * has one. @throws Error when no hypercall of the run comes by there (ours: the images changed, the demo did not)
 */
export function takeAim(golden: Trace, hypercalls: readonly Hypercall[], lock: string, critical: string): Aim {
  const travel = openTimeline(golden);
  const { machine } = travel;
  const symbols = readMachineSymbols(machine.config);
  const inSecondHalf = hypercalls.filter(({ start }) => start >= golden.last.moment / 2);
  for (const hypercall of inSecondHalf) {
    travel.seek(hypercall.start);
    let locked = false;
    for (let k = 1; machine.moment < hypercall.end; k++) {
      machine.step();
      const { hart, pc } = machine.next();
      if (hart !== hypercall.hart || machine.hart(hart).mode !== 'HS') break;
      const found = symbols.hypervisor?.lookup(pc);
      locked ||= found?.name === lock;
      if (locked && found?.name === critical)
        return { hypercall, k: k + 1, symbol: symbols.describe('HS', pc) ?? critical };
    }
  }
  throw new Error(`no hypercall of ${golden.path} runs ${critical} after ${lock}`);
}
