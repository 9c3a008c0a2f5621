/** What a log holds: entries of one flat shape, so that they are read alike whatever their kind. */
import type { InputEvent, Mode, Moment, Ticks } from '../../engine/index.ts';
import type { Position } from '../base/index.ts';

/** Kinds of entries, in the order in which they are listed. */
export const LOG_KINDS = [
  'exit',
  'entry',
  'hypercall',
  'sbi',
  'trap',
  'interrupt',
  'csr',
  'mmio',
  'dma',
  'sched',
  'recovery',
  'note',
  'input',
  'fault',
  'reset',
] as const;

/** Kinds that are told unless others are asked for: CSR writes outnumber all else. */
export const USUAL_KINDS: readonly LogKind[] = LOG_KINDS.filter((kind) => kind !== 'csr');

/**
 * - `exit`, `entry`: a VM is left for the hypervisor or firmware, and entered.
 * - `hypercall`: an ecall from VS-mode; `sbi`: one from HS-mode to M-mode.
 * - `trap`, `interrupt`: what neither leaves a VM nor asks for a service.
 * - `csr`: a CSR instruction wrote; `mmio`: a hart reached a device; `dma`: a device wrote to RAM.
 * - `sched`: a hart runs another VM or vCPU than it did last.
 * - `recovery`, `note`: what software said to the observer, about a recovery and otherwise.
 * - `input`, `fault`: what entered from outside; `reset`: the machine starts over.
 */
export type LogKind = (typeof LOG_KINDS)[number];

/** `moment` and `ticks` count an instruction as done, except for one that traps. */
export interface LogEntry extends Position {
  readonly kind: LogKind;
  readonly hart?: number;
  /** VMID of the VM that acts, or that is left or entered. */
  readonly vmid?: number;
  /** sscratch while the VM runs: tells vCPUs apart where the hypervisor keeps the address of the vCPU there. */
  readonly vcpu?: bigint;
  /** Mode in which it happened, or which was left. */
  readonly mode?: Mode;
  /** Mode that was entered. */
  readonly to?: Mode;
  /** The instruction; of entries, the one with which the VM goes on. */
  readonly pc?: bigint;
  /** Of transitions: ticks that the hart has spent on instructions and traps; only differences mean something. */
  readonly work?: number;
  readonly cause?: LogCause;
  readonly call?: LogCall;
  readonly csr?: { readonly number: number; readonly name: string; readonly before: bigint; readonly after: bigint };
  readonly access?: LogAccess;
  readonly dma?: LogDma;
  readonly note?: { readonly code: number; readonly arg: number; readonly text: string };
  readonly input?: InputEvent;
  /** Of `sched`: what the hart ran before; absent when that is not known. */
  readonly before?: { readonly vmid: number; readonly vcpu: bigint };
}

/** Why something was left. */
export interface LogCause {
  /** As in xcause, without the interrupt bit. */
  readonly number: number;
  readonly interrupt: boolean;
  readonly name: string;
  readonly tval: bigint;
  /** Of guest-page faults: the guest-physical address, its lowest two bits zero. */
  readonly gpa?: bigint;
}

/** A service that was asked for by an ecall. */
export interface LogCall {
  /** Whose numbers these are: SBI's, the hypervisor's as its image publishes them, or unknown ones. */
  readonly abi: 'sbi' | 'hypervisor' | 'unknown';
  /** `TIME set_timer`, `console_write`; the numbers where no name is known. */
  readonly name: string;
  /** a7, and a6. */
  readonly number: bigint;
  readonly function: bigint;
  /** From a0 on: as many as the call takes, four when that is not known. */
  readonly arguments: readonly bigint[];
  /** How it ended. Absent: it had not when this was told. */
  result?: LogResult;
}

/** How a call ended: it returned behind the ecall, is made again, or the caller goes on elsewhere. */
export interface LogResult extends Position {
  readonly how: 'returned' | 'retried' | 'elsewhere';
  /** As that of the entry. */
  readonly work: number;
  readonly a0: bigint;
  readonly a1: bigint;
  /** Name of an SBI error, where a0 is one. */
  readonly error?: string;
}

export interface LogAccess {
  readonly device: string;
  readonly paddr: number;
  /** From the beginning of the device. */
  readonly offset: number;
  readonly access: 'load' | 'store';
  readonly bytes: number;
  readonly value: bigint;
}

export interface LogDma {
  readonly device: string;
  readonly paddr: number;
  readonly bytes: number;
  /** The request that it belongs to: queue, and first descriptor. */
  readonly queue?: number;
  readonly head?: number;
}

/** Which entries are wanted; all of the usual kinds unless something is given. */
export interface LogFilter {
  readonly kinds?: readonly LogKind[];
  readonly vmid?: number;
  readonly hart?: number;
  /** All of this moment counts, and nothing behind it. */
  readonly to?: Moment;
}

/** How far a log came, and why no further. */
export interface LogEnd extends Position {
  /** It came to the end of the recording, or of what was asked for. */
  readonly complete: boolean;
  /** The run left its recording between these positions. */
  readonly diverged?: { readonly agreedAt: Position; readonly differsAt: Position };
}

/** What was found in one stretch of the run. */
export interface LogBatch {
  readonly entries: readonly LogEntry[];
  /** How far the run has been executed. */
  readonly moment: Moment;
  readonly ticks: Ticks;
}
