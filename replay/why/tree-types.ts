/** What a chain in one run finds, as plain data: instructions with their operands, down to where values began. */
import type { Position } from '../base/index.ts';
import type { Fill, Location } from './flow.ts';
import type { StepPlace } from './place.ts';

/** A value that was found somewhere. */
export interface WhyOperand {
  readonly location: Location;
  /** `a3`, `hgatp`, `[0x80217410]:8`. */
  readonly what: string;
  /** Zero-extended. */
  readonly value: bigint;
  /**
   * `data`: computed with; `address`: only looked up by; `entry`: a page-table entry that translated the address;
   * `trapped`: read by the instruction that trapped.
   */
  readonly role: 'data' | 'address' | 'entry' | 'trapped';
  /** Where its bytes came from, lowest first, all of them; undefined: not followed. */
  readonly sources?: readonly WhySource[];
}

/** Where some bytes of an operand came from. */
export interface WhySource {
  /** First of these bytes in the operand, and how many they are. */
  readonly from: number;
  readonly bytes: number;
  /** First byte of the node's value that they are. */
  readonly at: number;
  /** The bytes are no copy: all are what the highest bit of the node's byte `at` is, or zeros, or ones. */
  readonly fill?: Fill;
  /** Instructions passed over on the way, which only copied them. */
  readonly copies: number;
  readonly node: WhyNode;
}

export type WhyNode = WhyStepNode | WhyOrigin;

/** An instruction that computed a value, or a trap that wrote it. */
export interface WhyStepNode {
  readonly kind: 'step';
  /** From 1, by which others name it. */
  readonly id: number;
  readonly at: StepPlace;
  /** What it wrote, and the whole of what it left there. */
  readonly location: Location;
  readonly what: string;
  readonly value: bigint;
  readonly operands: readonly WhyOperand[];
}

/** Where a value began, or where following it ended. */
export type WhyOrigin = { readonly value: bigint } & (
  | { readonly kind: 'constant'; readonly at: StepPlace }
  /** Came from outside: which of the trace's inputs, from 0, and for bytes that were typed which of its bytes. */
  | (Position & {
      readonly kind: 'input';
      readonly input: 'console' | 'net' | 'poke';
      readonly index: number;
      readonly byte?: number;
      readonly device?: string;
    })
  /**
   * Nobody wrote it: between `writtenBy`, which left `before` there, and where it was found it changed. The position is
   * the one before the change, inputs pending; `inputs`: kinds of the trace's inputs there.
   */
  | (Position & {
      readonly kind: 'fault';
      readonly what: string;
      readonly before: bigint;
      readonly inputs: readonly string[];
      readonly writtenBy?: StepPlace;
    })
  /** Loaded at reset. `image`: `bios image 'x.elf'`, `device tree`, `boot ROM`. */
  | { readonly kind: 'image'; readonly image: string; readonly paddr: number; readonly symbol?: string }
  /** What registers, CSRs and blank RAM have at reset. */
  | { readonly kind: 'reset'; readonly what: string }
  /** A device wrote it to RAM. `offset`: of a disk's byte, from its beginning. */
  | (Position & {
      readonly kind: 'dma';
      readonly device: string;
      readonly queue?: number;
      readonly head?: number;
      readonly disk?: { readonly sector: number; readonly offset: number };
    })
  /** Read from a register of a device. */
  | { readonly kind: 'device'; readonly device: string; readonly offset: number; readonly at: StepPlace }
  /** The walk of an access set A or D. */
  | (Position & { readonly kind: 'walk'; readonly before: bigint })
  /** Time, and counts of instructions and cycles; interrupts that are pending. */
  | { readonly kind: 'time' | 'pending'; readonly what: string }
  /** An interrupt came. */
  | { readonly kind: 'interrupt'; readonly at: StepPlace }
  /** Further back than was looked. */
  | { readonly kind: 'far' }
  /** The step of that `id` has been shown already. */
  | { readonly kind: 'seen'; readonly id: number }
  /** No more was followed. */
  | { readonly kind: 'cut'; readonly by: Cut; readonly at?: StepPlace }
);

/** Which bound ended it: deeper than `depth`, more than `most` nodes, or more than `work` instructions. */
export type Cut = 'depth' | 'most' | 'work';

export interface WhyTree {
  /** The value that was asked about. */
  readonly root: WhyOperand;
  readonly nodes: number;
  /** Instructions looked at, those that only copied counted. */
  readonly visited: number;
  /** How many ends each bound made. */
  readonly cut: Readonly<Record<Cut, number>>;
}

export interface WhyTreeOptions {
  /** Steps from the question to the furthest that is shown; 8 unless given. */
  readonly depth?: number;
  /** Nodes; 200 unless given. */
  readonly most?: number;
  /** Instructions executed to look for writers; 2,000,000,000 unless given. */
  readonly work?: number;
  /** Whether base registers of loads and stores are followed; copies by memory are shown then. */
  readonly addresses?: boolean;
  /** Whether page-table entries are followed that were there before the value; copies by memory are shown then. */
  readonly entries?: boolean;
}
