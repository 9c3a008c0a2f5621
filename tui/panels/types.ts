/**
 * The vocabulary of the terminal UI's model: styled text, events on the timeline, the state of the screen, and what
 * the model needs to know about the machine's insides. Plain data; no ink, no terminal.
 */
import type { CodeName, Machine } from '../../engine/index.ts';
import type { DebugSession, RunEvent, TimeTravel } from '../../replay/index.ts';
import type { Lanes } from './lanes.ts';

/** What a piece of text means; views/theme.ts decides how it looks. Nothing is said by tone alone. */
export type Tone =
  | 'plain'
  | 'dim'
  | 'strong'
  | 'title'
  | 'focus'
  | 'current'
  | 'changed'
  | 'symbol'
  | 'error'
  | 'fault'
  | 'detected'
  | 'resumed'
  | 'event'
  | 'modeM'
  | 'modeH'
  | 'modeS'
  | 'modeU'
  | 'vm1'
  | 'vm2'
  | 'vm3'
  | 'vm4';

/** Made by `span` in text.ts alone, which lets nothing through that a terminal would obey. */
export interface Span {
  readonly text: string;
  readonly tone: Tone;
}
export type Line = readonly Span[];

export interface DisassembledLine {
  readonly address: bigint;
  readonly text: string;
  /** `name` or `name+0x10` when known. */
  readonly symbol: string | undefined;
  /** `lazarus/sched.c:123` when known. */
  readonly source: string | undefined;
}

export interface VmRow {
  readonly name: string;
  readonly vmid: number;
  readonly state: string;
  readonly hart: number | undefined;
  readonly pc: bigint | undefined;
}

/** What runs inside, as engine/introspect sees it; tests give their own. */
export interface Introspection {
  /** Up to `before` instructions in front of pc, the one at pc, and up to `after` behind it, in address order. */
  disassemble(machine: Machine, hart: number, pc: bigint, before: number, after: number): readonly DisassembledLine[];
  /** Symbol and source line of code, as far as they are known. */
  code(machine: Machine, hart: number, address: bigint): CodeName;
  vms(machine: Machine): readonly VmRow[];
}

export const PANELS = ['disassembly', 'registers', 'vms', 'console'] as const;
export type PanelName = (typeof PANELS)[number];

/** Register values by hart, to mark what the last move changed. */
export type RegisterFile = readonly ReadonlyMap<string, bigint>[];

/** What the registers panel shows. */
export type RegisterSet = 'integer' | 'csr' | 'float';

/** The key table, everything on the screen with nothing cut off, breakpoints and watchpoints, or the stack. */
export interface Overlay {
  readonly kind: 'help' | 'whole' | 'stops' | 'stack';
  readonly page: number;
}

/** Everything the screen depends on besides the machine itself. Replaced, never mutated. */
export interface State {
  readonly columns: number;
  readonly rows: number;
  readonly hart: number;
  /** Show the hart that executes next after every move, until the user picks one. */
  readonly followHart: boolean;
  /** Moments shown by the timeline: from (inclusive) to `to`. */
  readonly from: number;
  readonly to: number;
  readonly panel: PanelName;
  readonly scroll: Readonly<Record<PanelName, number>>;
  readonly registerSet: RegisterSet;
  /** The place that is shown where VMs are listed otherwise: an expression. */
  readonly memory: string | undefined;
  /** What covers the panels, page by page; undefined: nothing. */
  readonly overlay: Overlay | undefined;
  /** The stack that was asked for last, as lines. */
  readonly stack: readonly string[];
  /** The `:` line while it is typed. */
  readonly prompt: string | undefined;
  /** Digits typed before a key. */
  readonly count: string;
  readonly message: string;
  readonly isError: boolean;
  /** Registers before the last move. */
  readonly baseline: RegisterFile;
  readonly quit: boolean;
  /** What the terminal is asked for, once: to be given back until the shell resumes us, or to be drawn anew. */
  readonly request: 'suspend' | 'redraw' | undefined;
  /** Somebody is still recording the run: its end is only the last that is known. */
  readonly isGrowing: boolean;
  /** Goes to the end whenever the run has grown. */
  readonly follows: boolean;
}

/** An event of the run, or what somebody noted at one of its moments. */
export type SessionEvent = Omit<RunEvent, 'kind'> & { readonly kind: RunEvent['kind'] | 'bookmark' };

/** A move that is being made, while the screen stands still. */
export interface Work {
  /** Does some more of it. */
  advance(): void;
  /** Ends it where it began. */
  stop(): void;
}

export interface Session {
  readonly travel: TimeTravel;
  /** Moves by what code does, and what stops them. */
  readonly debug: Pick<DebugSession, 'over' | 'out' | 'to' | 'stack' | 'stops' | 'run' | 'events' | 'grow'>;
  readonly introspection: Introspection;
  events: readonly SessionEvent[];
  readonly lanes: Lanes;
  /** Whether somebody sits in front of the screen: long moves are made in turns with their keys. */
  inTurns: boolean;
  work: Work | undefined;
  state: State;
}
