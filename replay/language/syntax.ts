/**
 * The language's syntax trees: what a person wrote, taken apart and not yet looked up. Plain data, for `evaluate` and
 * for whoever plans how a condition can be watched (an equality of pc is a breakpoint, memory is a watchpoint).
 * Numbers are unsigned 64-bit; names of registers are the ones that `printExpression` writes.
 */

/** Where a node stands in the text: offsets of its first character and of the one behind its last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** An address space: supervisor-physical; guest-physical of a VMID; virtual, as a hart translates it at the moment. */
export type Space =
  | { readonly kind: 'spa' }
  | { readonly kind: 'gpa'; readonly vmid: number }
  /** Without a hart: the one whose instruction is next. */
  | { readonly kind: 'va'; readonly hart: number | undefined };

/** A symbol of an image. In arithmetic it is the address that the image is linked for. */
export interface SymbolNode {
  readonly kind: 'symbol';
  /** Label of the image (`lazarus`) or its part in the machine (`firmware`, `hypervisor`, `guest`); or any image. */
  readonly image: string | undefined;
  /** Of the image that this VM runs. */
  readonly vmid: number | undefined;
  readonly name: string;
  readonly at: Span;
}

export type UnaryOperator = '!' | '~' | '-';
/** Tightest last. Unlike in C, bits are combined before numbers are compared. */
export const PRECEDENCE = [
  ['||'],
  ['&&'],
  ['==', '!=', '<', '<=', '>', '>='],
  ['|'],
  ['^'],
  ['&'],
  ['<<', '>>'],
  ['+', '-'],
  ['*'],
] as const;
export type BinaryOperator = (typeof PRECEDENCE)[number][number];
export type AccessBytes = 1 | 2 | 4 | 8;

/** A register of a hart. `name`: x0–x31, f0–f31, pc, a CSR; or mode, waiting (1: in wfi), vmid (of hgatp). */
export interface RegisterNode {
  readonly kind: 'register';
  readonly hart: number;
  readonly name: string;
  readonly at: Span;
}

/** What is known of a VM: state (a name), hart (where it runs; `none`), pc of its first vCPU, hgatp. */
export interface VmNode {
  readonly kind: 'vm';
  readonly vmid: number;
  readonly field: VmField;
  readonly at: Span;
}
export const VM_FIELDS = ['state', 'hart', 'pc', 'hgatp'] as const;
export type VmField = (typeof VM_FIELDS)[number];

/** Bytes of memory, little-endian. */
export interface MemoryNode {
  readonly kind: 'memory';
  readonly address: Expression;
  readonly bytes: AccessBytes;
  readonly at: Span;
}

/** A number said to be an address in a space. */
export interface AddressNode {
  readonly kind: 'address';
  readonly space: Space;
  /** A number, a symbol, a register, memory, or whatever stood in parentheses. */
  readonly address: Expression;
  readonly at: Span;
}

/** `VALUE in SYMBOL`, `VALUE in LOW..HIGH` (HIGH excluded). */
export interface WithinNode {
  readonly kind: 'within';
  readonly value: Expression;
  readonly range: SymbolNode | { readonly low: Expression; readonly high: Expression };
  readonly at: Span;
}

export interface BinaryNode {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly at: Span;
}

export type Expression =
  | { readonly kind: 'number'; readonly value: bigint; readonly at: Span }
  | { readonly kind: 'counter'; readonly name: 'moment' | 'ticks'; readonly at: Span }
  /** A mode (HS), a state (running) or `none`: stands beside a place that is named and not counted. */
  | { readonly kind: 'constant'; readonly name: string; readonly at: Span }
  | SymbolNode
  | RegisterNode
  | VmNode
  | MemoryNode
  | AddressNode
  | WithinNode
  | BinaryNode
  | { readonly kind: 'unary'; readonly operator: UnaryOperator; readonly operand: Expression; readonly at: Span };

/** Places whose value is a name and no number: `hart0.mode`, `vm1.state`, `vm1.hart`. */
export function isNamed(node: Expression): boolean {
  if (node.kind === 'vm') return node.field === 'state';
  return node.kind === 'register' && node.name === 'mode';
}
