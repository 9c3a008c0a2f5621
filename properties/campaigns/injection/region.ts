/**
 * Which part of the hypervisor, or of what is below it, a hart executes: by its mode, and in HS-mode by the innermost
 * function on its stack that says what is going on. So a lock that is taken for a hypercall is the handler's, and one
 * that is taken to choose a vCPU is the scheduler's. Knows Lazarus' functions by name (entry.S, main.c, sched.c,
 * trap.c, recovery.c); of other hypervisors it tells the mode only.
 */
import { insideVm, type Machine, type MachineSymbols } from '../../../engine/index.ts';
import { unwind } from '../../../replay/index.ts';
import type { Region } from './types.ts';

/** What Lazarus' functions are about; all others are about what they are called for. */
const FUNCTIONS: Readonly<Record<string, Region>> = {
  // Interrupts also while the hart idles, where they are polled. Tail calls take some of these off the stack.
  trap_vm_exit: 'handler',
  hypercall: 'handler',
  interrupt: 'handler',
  timer_interrupt: 'handler',
  irq_interrupt: 'handler',
  schedule: 'scheduler',
  vm_run: 'world switch',
  vm_exit: 'world switch',
  switch_to: 'world switch',
  event_update: 'world switch',
  idle: 'idle',
  own_trap: 'recovery',
  recovery_entry: 'recovery',
  recovery_main: 'recovery',
  // Assembly that every entry calls comes back to the entry: of it alone it is known that a hart begins.
  on_own_stack: 'boot',
  boot_entry: 'boot',
  boot_main: 'boot',
  secondary_entry: 'boot',
  secondary_main: 'boot',
};
/** Lazarus' outermost function; every hypervisor that has one is taken for Lazarus. */
const LOOP = 'sched_loop';
/** Lazarus' deepest stacks are half as deep. */
const MAX_FRAMES = 40;

/** What a hart is executing; changes nothing in the machine. */
export function regionOf(machine: Machine, hart: number, symbols: MachineSymbols): Region {
  const { mode, vmid } = machine.hart(hart);
  if (mode === 'M') return 'M-mode';
  if (insideVm(mode)) return 'guest';
  if (mode === 'U') return 'user mode';
  if (symbols.hypervisor?.address(LOOP) === undefined) return 'hypervisor';
  for (const { pc, isNext } of unwind(machine, hart, symbols, MAX_FRAMES).frames) {
    // Where a call returns to may belong to another function already.
    const address = isNext ? pc : pc - 1n;
    const at = symbols.debugAt(mode, address, vmid);
    const inlined = at?.debug.functionAt(at.address)?.inlined ?? [];
    const name = symbols.lookup(mode, address, vmid)?.name ?? '';
    for (const called of [...inlined, name]) {
      if (Object.hasOwn(FUNCTIONS, called)) return FUNCTIONS[called]!;
    }
    // What the loop itself has called, other than these, is the end of trap_vm_exit: a tail call.
    if (name === LOOP) return isNext ? 'scheduler' : 'handler';
  }
  return 'hypervisor';
}
