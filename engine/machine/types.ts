/**
 * The machine as the layers above see it. Implemented by `machine.ts`; plain data in and out.
 */

import type { Fault } from '../faults/index.ts';

export type { Fault };

/** Position in a run: the machine's total count of retired instructions. A safe integer. */
export type Moment = number;
/** Virtual time in ticks (1 ns each). A run's exact position where several states share a moment. */
export type Ticks = number;

export interface Quantum {
  readonly policy: 'fixed' | 'jittered';
  /** Length of a hart's turn in ticks (mean when jittered), 64 … 1_000_000. */
  readonly ticks: number;
  /** Seed of the jitter. */
  readonly seed: bigint;
}

/** A file that goes into the machine; content decides behaviour, the name is for people. */
export interface Image {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What is plugged into a virtio-mmio slot (0 … 7; QEMU fills them from the last one down). */
export type VirtioConfig =
  | {
      readonly kind: 'block';
      readonly slot: number;
      /** Content of the disk at reset: a multiple of 512 bytes. Writes stay in the machine. */
      readonly image: Image;
      readonly readOnly: boolean;
      /** What get-id answers: at most 20 ASCII characters. */
      readonly serial: string;
    }
  | {
      readonly kind: 'net';
      readonly slot: number;
      /** `52:54:00:12:34:56`. */
      readonly mac: string;
      /**
       * `switch`: all devices on it and the built-in station hear each other. `outside`: frames leave as events and
       * enter as inputs.
       */
      readonly cable: 'switch' | 'outside';
    }
  | { readonly kind: 'console'; readonly slot: number }
  | { readonly kind: 'entropy'; readonly slot: number };

export interface MachineConfig {
  /** 1 … 8. */
  readonly harts: number;
  /** Bytes of RAM at 0x8000_0000: a multiple of 4096, at most 2 GiB. */
  readonly ramBytes: number;
  readonly quantum: Quantum;
  /** M-mode firmware; without one the kernel runs at the start of RAM in M-mode. */
  readonly bios?: Image;
  readonly kernel?: Image;
  readonly initrd?: Image;
  /** Kernel command line, /chosen/bootargs. */
  readonly append: string;
  /** A device tree to be given to the software in place of the board's own. */
  readonly dtb?: Image;
  readonly virtio?: readonly VirtioConfig[];
  /** Seed of device latencies and of the entropy device; 0 unless given. */
  readonly seed?: bigint;
  /** Wall-clock time at tick 0, seconds since 1970; DEFAULT_WALL_CLOCK unless given. */
  readonly wallClock?: number;
  /** Whether a reset that software asks for starts the machine over; else it ends the run. */
  readonly reboots?: boolean;
}

/** All that enters from outside (determinism contract, 4). */
export type InputEvent =
  | { readonly kind: 'console'; readonly bytes: Uint8Array }
  /** An Ethernet frame for the network device in a slot, whose cable leads outside. */
  | { readonly kind: 'net'; readonly slot: number; readonly bytes: Uint8Array }
  | { readonly kind: 'fault'; readonly fault: Fault }
  | { readonly kind: 'poke'; readonly paddr: number; readonly bytes: Uint8Array };

/** An input and the exact position at which it is applied. */
export interface Input {
  readonly moment: Moment;
  readonly ticks: Ticks;
  readonly event: InputEvent;
}

export type StopReason =
  | { readonly kind: 'moment' }
  | { readonly kind: 'ticks' }
  /** So many HS-mode instructions have retired. */
  | { readonly kind: 'count' }
  /** So much has been executed. */
  | { readonly kind: 'work' }
  /** The finisher was written, or the machine cannot go on. */
  | { readonly kind: 'halted'; readonly status: 'pass' | 'fail' | 'reset'; readonly code: number }
  /** The instruction at `paddr`, which `breakAt` names, is next, on `hart`. */
  | { readonly kind: 'breakpoint'; readonly hart: number; readonly paddr: number }
  /** An observed transition or CSR write has happened: this is the position behind it. */
  | { readonly kind: 'event' }
  /** A watched range that stops the run has been accessed: this is the position behind it. */
  | { readonly kind: 'watchpoint' }
  /** Every hart waits and nothing is due: only an input can go on. */
  | { readonly kind: 'idle' };

/** Observed from inside, in order; never influences the run. */
export type MachineEvent =
  | { readonly kind: 'console'; readonly moment: Moment; readonly ticks: Ticks; readonly byte: number }
  /** A frame left through a cable that leads outside. */
  | {
      readonly kind: 'net';
      readonly moment: Moment;
      readonly ticks: Ticks;
      readonly slot: number;
      readonly bytes: Uint8Array;
    }
  /**
   * A note: software wrote 0x1000–0x1fff to the finisher's low half, an argument to its high half; or RESET_NOTE, and
   * the machine starts over.
   */
  | {
      readonly kind: 'note';
      readonly moment: Moment;
      readonly ticks: Ticks;
      readonly hart: number;
      readonly code: number;
      readonly arg: number;
    }
  /** A device wrote to RAM. */
  | (Position & { readonly kind: 'dma' } & DmaWrite)
  /** A hart's instruction read from a device, or wrote to one: what follows from a write comes behind it. */
  | (Position & InstructionAt & { readonly kind: 'access' } & DeviceAccess)
  /** A CSR instruction wrote; the values are those that it would read. */
  | (Position &
      InstructionAt & {
        readonly kind: 'csr';
        /** As the instruction names it: in VS-mode, `sstatus` stands for `vsstatus`. */
        readonly number: number;
        readonly before: bigint;
        readonly after: bigint;
      })
  | (Position & {
      readonly kind: 'transition';
      readonly hart: number;
      readonly from: Mode;
      readonly to: Mode;
      /** undefined for returns. */
      readonly trap?: Trap;
      readonly pc: bigint;
      readonly vmid: number;
      /** sscratch: where hypervisors keep the address of the vCPU while it runs. */
      readonly context: bigint;
      /** Ticks that the hart has spent on instructions and traps; only the differences of a run mean something. */
      readonly work: number;
      readonly registers: Registers;
    });

/** a0 to a7, by 0 to 7. */
export interface Registers {
  at(n: number): bigint;
}

/** `moment` and `ticks` count the instruction as done, except for one that traps. */
interface Position {
  readonly moment: Moment;
  readonly ticks: Ticks;
}
interface InstructionAt {
  readonly hart: number;
  readonly pc: bigint;
  readonly mode: Mode;
  readonly vmid: number;
}
interface Trap {
  /** xcause with bit 63 moved to `interrupt`. */
  readonly cause: number;
  readonly interrupt: boolean;
  readonly tval: bigint;
  /** Guest physical address, its lowest two bits zero, of a guest-page fault that M or HS takes; else 0. */
  readonly gpa: bigint;
}

/** What a device wrote to RAM. */
export interface DmaWrite {
  readonly paddr: number;
  readonly bytes: number;
  /** Name of the device: `virtio7`. */
  readonly device: string;
  /** The request that it serves: a queue, and the index of the first descriptor of a chain in it. */
  readonly request?: { readonly queue: number; readonly head: number };
}

/** What an instruction did to a register of a device. */
export interface DeviceAccess {
  /** Name of the device: `uart`, `plic`, `virtio7`. */
  readonly device: string;
  readonly paddr: number;
  /** From the beginning of the device. */
  readonly offset: number;
  readonly bytes: number;
  readonly access: 'load' | 'store';
  /** Zero-extended. */
  readonly value: bigint;
}

/** A range of RAM whose accesses are observed, whoever makes them; instruction fetches are not counted. */
export interface Watch {
  readonly paddr: number;
  readonly bytes: number;
  /** Loads, reads of page tables by walks, reads by devices. */
  readonly reads?: boolean;
  /** Stores, A and D bits set by walks, writes by devices, inputs, resets. */
  readonly writes?: boolean;
  /** Whether `run` stops right behind such an access. */
  readonly stops?: boolean;
}

/**
 * One access to watched memory. Its instruction is the next one at `moment` and `ticks`; at `ticks` + 1 it has
 * happened, an input already at `ticks`, once applied.
 */
export interface WatchHit {
  readonly moment: Moment;
  readonly ticks: Ticks;
  /**
   * `load`, `store`: the instruction itself (an AMO is both); `table-…`: the page walk on its behalf; `dma-…`: a
   * device; `input`: a poke or a fault; `reset`: the board's loader.
   */
  readonly by: 'load' | 'store' | 'table-read' | 'table-write' | 'dma-read' | 'dma-write' | 'input' | 'reset';
  /** Of a device: its name and the request that it serves, as DmaWrite has them. */
  readonly device?: string;
  readonly request?: DmaWrite['request'];
  /** Of the hart that accesses: its number, pc, mode, and hgatp.VMID. */
  readonly hart?: number;
  readonly pc?: bigint;
  readonly mode?: Mode;
  readonly vmid?: number;
  /** The bytes accessed: 1, 2, 4 or 8. What is longer, or crosses a page, are several accesses. */
  readonly paddr: number;
  readonly bytes: number;
  /** The bytes as a little-endian number, before and after; the same for reads. */
  readonly before: bigint;
  readonly after: bigint;
}

/**
 * Roots of an address space as satp, vsatp and hgatp have them. With vsatp or hgatp it is that of a VM, and one that is
 * absent is Bare.
 */
export interface AddressSpace {
  readonly satp?: bigint;
  readonly vsatp?: bigint;
  readonly hgatp?: bigint;
}

/** A table entry that a walk reads. */
export interface TranslationStep {
  /** Under satp; under vsatp; under hgatp. */
  readonly stage: 'single' | 'vs' | 'g';
  /** Of its table: 0 holds 4 KiB pages. */
  readonly level: number;
  readonly paddr: bigint;
  /** 0 where it cannot be read. */
  readonly pte: bigint;
}

/** How an address translates: what was read on the way, in order, and where it leads or why nowhere. */
export interface Translation {
  readonly steps: readonly TranslationStep[];
  readonly paddr?: bigint;
  /** The PMP entry that decides over `paddr`, if any matches. */
  readonly pmp?: { readonly allowed: boolean; readonly entry?: number };
  readonly fault?: {
    readonly cause: 'page' | 'access' | 'guest-page';
    /** Guest-physical address that the G-stage does not map, without its lowest two bits. */
    readonly gpa?: bigint;
    /** The G-stage failed on an access of the VS-stage to its tables. */
    readonly implicit?: 'read' | 'write';
  };
}

export type Mode = 'U' | 'S' | 'HS' | 'M' | 'VS' | 'VU';

/** Page content shared between snapshots; never modified. */
export interface Page {
  /** xxh64 of the 4096 bytes. */
  readonly hash: bigint;
  readonly bytes: Uint8Array;
}

/** Everything that influences the future. Restoring it and running is indistinguishable from never having stopped. */
export interface Snapshot {
  readonly moment: Moment;
  readonly ticks: Ticks;
  readonly digest: bigint;
  /** Saved bytes of machine, harts and devices, in layout order. */
  readonly state: Uint8Array;
  /**
   * RAM pages that are not all zero, by page index from the start of RAM; and pages of disks that were written to,
   * numbered as machine/media.ts says.
   */
  readonly pages: ReadonlyMap<number, Page>;
}

/** One difference between two states, located. */
export interface StateDifference {
  /** e.g. `hart0.x10`, `hart1.mstatus`, `plic.pending[0]`, `ram`, `virtio7.disk+0x200`. */
  readonly where: string;
  /** Physical address when `where` is `ram`. */
  readonly paddr?: number;
  readonly a: bigint;
  readonly b: bigint;
}

export interface HartState {
  readonly x: readonly bigint[];
  /** Floating-point registers as bits; a single lies in a NaN box. */
  readonly f: readonly bigint[];
  /** frm in bits 7–5, fflags in bits 4–0. */
  readonly fcsr: number;
  readonly pc: bigint;
  readonly mode: Mode;
  readonly waiting: boolean;
  readonly instret: bigint;
  /** hgatp.VMID. */
  readonly vmid: number;
}

/** What becomes an event, besides what leaves the machine, notes and DMA. */
export interface Observed {
  /** A guest that traps all the time makes many. `vm`: those in and out of VMs. */
  readonly transitions: 'all' | 'vm' | 'none';
  /** Accesses of harts to devices. */
  readonly accesses: boolean;
  /** Writes of CSR instructions. */
  readonly csrWrites: boolean;
  /** Whether `run` stops behind each transition and CSR write that is observed. */
  readonly stops?: boolean;
}

/** Modes whose instructions are counted: HS, M, or both. */
export type PrivilegedModes = 'hypervisor' | 'machine' | 'privileged';

/** Where a run stops at the latest. */
export interface RunLimit {
  readonly moment?: Moment;
  readonly ticks?: Ticks;
  /** Instructions that harts retire in some privileged modes from here on: stops right behind the last of them. */
  readonly count?: { readonly of: PrivilegedModes; readonly instructions: number };
  /**
   * Ticks from here on, without those that pass because every hart waits: a bound of what the run costs its host, which
   * no guest can stretch, whereas a sleeping guest comes far in virtual time and hardly in moments.
   */
  readonly work?: number;
}

export interface Machine {
  readonly config: MachineConfig;
  readonly moment: Moment;
  readonly ticks: Ticks;
  /**
   * Instructions that all harts have retired in some privileged modes since the machine was made, those before a
   * `restore` included: only the difference over a stretch means something. No state: the machine cannot see it.
   */
  retired(modes: PrivilegedModes): number;
  /** Runs until the first of the given positions, or until the machine stops by itself. With none: until it stops. */
  run(until: RunLimit): StopReason;
  /** Runs until exactly one more instruction has retired. */
  step(): StopReason;
  /** The hart whose instruction retires next (its turn, after idle harts are skipped), and its pc. */
  next(): { hart: number; pc: bigint };
  /** Applies an input now. What the console's line or a network device has no room for is lost, as on a wire. */
  apply(event: InputEvent): void;
  /** Bytes that can be typed at the console now without one being lost. */
  readonly consoleRoom: number;
  /** Bytes that were typed at the console and software has not read. */
  readonly consoleUnread: number;
  /** False: the network device in a virtio slot would lose a frame of so many bytes now, but not later. */
  takesFrame(slot: number, frameBytes: number): boolean;
  snapshot(): Snapshot;
  /**
   * Puts the machine into a state. One that no machine of this process took (it was read from a file) is checked: that
   * this machine can have it, and that it is what its digest says. The hashes of its pages must be theirs.
   * @throws UserError that says what is wrong; the machine is then in no state of a run, until the next restore
   */
  restore(snapshot: Snapshot): void;
  /** 64-bit state digest: a function of the saved state only. */
  digest(): bigint;
  /** Digest of a VM's memory by guest-physical address, through the tables that an hgatp value names; 0 for Bare. */
  guestDigest(hgatp: bigint): bigint;
  hart(n: number): HartState;
  /** By name (`mstatus`, `hgatp`, …) as the manual spells it. @throws RangeError for an unknown name. */
  csr(hart: number, name: string): bigint;
  readPhysical(paddr: number, bytes: number): Uint8Array;
  /** undefined when the address does not translate. `access` defaults to 'load'. */
  translate(hart: number, va: bigint, access?: 'load' | 'store' | 'fetch'): number | undefined;
  /** Where events go; unset = nothing is observed, which costs nothing. */
  onEvent: ((event: MachineEvent) => void) | undefined;
  /** All transitions, but neither accesses nor CSR writes, unless something else is asked for. */
  observed: Observed;
  /**
   * Physical addresses of instructions in RAM, one or any number, that `run` and `step` stop right before, by whatever
   * address and in whatever mode a hart comes there; they stop once at a position and then go on past it. Neither the
   * guest nor the state can see them. No part of snapshots: after `restore` they stop again at the same position;
   * undefined: none.
   */
  breakAt: number | readonly number[] | undefined;
  /**
   * The same by virtual address, in whatever address space a hart executes it. What does not translate is not reached.
   */
  breakAtVirtual: readonly bigint[];
  /**
   * Ranges of RAM whose accesses are told to `onWatchHit`, or stop the run. Neither the guest nor the state can see
   * them, and restoring a state is no access. What watches a page slows accesses to that page down.
   */
  watches: readonly Watch[];
  /**
   * Told of each access to what is watched, in order; before `run` returns at the latest. It may not run the machine.
   */
  onWatchHit: ((hit: WatchHit) => void) | undefined;
  /**
   * Told of each instruction with its operands, and of each trap, while it is set; before `run` returns at the latest.
   * Records for `Steps`, oldest first. All runs some twenty times slower meanwhile. It may not run the machine.
   */
  onSteps: ((records: Uint8Array) => void) | undefined;
  /**
   * How a hart's access to `va` translates, in its mode and address space, or for a reader who may see everything in
   * the given one. Changes nothing; A and D bits do not matter.
   */
  explainTranslation(hart: number, va: bigint, access?: 'load' | 'store' | 'fetch', space?: AddressSpace): Translation;
  /**
   * Ticks since the machine was made in which something was executed (RunLimit.work); only differences mean something.
   */
  readonly work: number;
}
