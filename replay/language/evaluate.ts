/**
 * Values of expressions on a machine, as it stands. Numbers are unsigned 64-bit: sums wrap, shifts by 64 and more give
 * 0, comparisons are unsigned, 1 is true. A value remembers what it is an address of, so that `[hart0.sp + 8]` is read
 * as hart 0 would, and `[heap_lock]` where the hypervisor was loaded. What does not exist at this moment (a VM, a
 * mapping) makes a comparison false in `holds`, and is an error in `evaluate`.
 */
import { type HartState, hex, summariseVm, UserError, type VmInfo } from '../../engine/index.ts';
import { checkExpression, checkHart } from './check.ts';
import { AbsentError } from './errors.ts';
import { type Addressed, type Context, guestAt, locate, readPlace, virtualAt, vmWith } from './memory.ts';
import { type FoundSymbol, findSymbol } from './names.ts';
import { printExpression } from './print.ts';
import type {
  AddressNode,
  BinaryNode,
  BinaryOperator,
  Expression,
  RegisterNode,
  VmNode,
  WithinNode,
} from './syntax.ts';

/** A number, or a name: `HS`, `running`, `none`. */
export type Value = bigint | string;

/**
 * The value of an expression.
 * @throws UserError for names that no machine like this has; AbsentError, one too, for what does not exist now
 */
export function evaluate(node: Expression, context: Context): Value {
  checkExpression(node, context);
  const { bits, name } = new Evaluation(context, false).value(node);
  return name ?? bits;
}

/**
 * Whether a condition holds now. A comparison with what does not exist now does not. Names of states are taken as they
 * are: `checkExpression` once, before many moments are asked. @throws UserError as `evaluate`
 */
export function holds(node: Expression, context: Context): boolean {
  try {
    return new Evaluation(context, true).value(node).bits !== 0n;
  } catch (error) {
    if (error instanceof AbsentError) return false;
    throw error;
  }
}

/** Where an expression points. @throws UserError when it is a number that does not say in which space; as `evaluate` */
export function addressOf(node: Expression, context: Context): Addressed {
  return new Evaluation(context, false).address(node);
}

/** What a value is an address of. */
type Origin =
  | { readonly kind: 'address'; readonly at: (address: bigint) => Addressed; readonly key: string }
  | { readonly kind: 'register'; readonly hart: number; readonly isPc: boolean }
  | { readonly kind: 'symbol'; readonly symbol: FoundSymbol };

interface Evaluated {
  readonly bits: bigint;
  readonly name?: string;
  readonly of?: Origin;
}

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const truth = (holds: boolean): Evaluated => ({ bits: holds ? 1n : 0n });

const ARITHMETIC: Partial<Record<BinaryOperator, (a: bigint, b: bigint) => bigint>> = {
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '&': (a, b) => a & b,
  '<<': (a, b) => (b > 63n ? 0n : u64(a << b)),
  '>>': (a, b) => (b > 63n ? 0n : a >> b),
  '+': (a, b) => u64(a + b),
  '-': (a, b) => u64(a - b),
  '*': (a, b) => u64(a * b),
};

const COMPARISONS: Partial<Record<BinaryOperator, (a: bigint, b: bigint) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

class Evaluation {
  private readonly context: Context;
  private readonly absentIsFalse: boolean;
  /** A condition may name one hart or VM many times. */
  private readonly harts = new Map<number, HartState>();
  private readonly vms = new Map<number, VmInfo>();

  constructor(context: Context, absentIsFalse: boolean) {
    this.context = context;
    this.absentIsFalse = absentIsFalse;
  }

  value(node: Expression): Evaluated {
    const { machine, symbols } = this.context;
    switch (node.kind) {
      case 'number':
        return { bits: node.value };
      case 'counter':
        return { bits: BigInt(machine[node.name]) };
      case 'constant':
        return { bits: 0n, name: node.name };
      case 'symbol': {
        const symbol = findSymbol(node, symbols);
        return symbol.bytes === 0n
          ? { bits: symbol.address }
          : { bits: symbol.address, of: { kind: 'symbol', symbol } };
      }
      case 'register':
        return this.register(node);
      case 'vm':
        return this.vmField(node);
      case 'memory':
        return { bits: this.load(node.address, node.bytes) };
      case 'address':
        return this.addressed(node);
      case 'within':
        return this.comparison(() => this.within(node));
      case 'unary': {
        const { bits } = this.value(node.operand);
        if (node.operator === '!') return truth(bits === 0n);
        return { bits: u64(node.operator === '~' ? ~bits : -bits) };
      }
      case 'binary':
        return this.binary(node);
    }
  }

  /** Where a value points. */
  address(node: Expression): Addressed {
    const { machine } = this.context;
    const { bits, of } = this.value(node);
    if (!of) throw new UserError(ambiguous(node, bits));
    if (of.kind === 'address') return of.at(bits);
    if (of.kind === 'register') return virtualAt(machine, of.hart, bits);
    const { side, vmid, address, loaded, name } = of.symbol;
    const there = u64(loaded + bits - address);
    if (side === 'host') return { space: 'spa', address: there };
    if (vmid === undefined) throw new UserError(`'${name}' is a symbol of the guest: say of which VM, as vm1:${name}`);
    return guestAt(this.vm(vmid), there);
  }

  private load(address: Expression, bytes: number): bigint {
    const { machine } = this.context;
    const found = readPlace(machine, locate(machine, this.address(address), bytes));
    return found.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  }

  private addressed({ space, address }: AddressNode): Evaluated {
    const { machine } = this.context;
    const { bits, of } = this.value(address);
    if (space.kind === 'va') {
      const hart = space.hart ?? machine.next().hart;
      this.hart(hart);
      const at = (its: bigint) => virtualAt(machine, hart, its);
      return { bits, of: { kind: 'address', at, key: `va ${hart}` } };
    }
    // Of a symbol, the address that it was loaded at is meant.
    const loaded = of?.kind === 'symbol' ? u64(of.symbol.loaded + bits - of.symbol.address) : bits;
    if (space.kind === 'spa') {
      return { bits: loaded, of: { kind: 'address', at: (its) => ({ space: 'spa', address: its }), key: 'spa' } };
    }
    const { vmid } = space;
    return { bits: loaded, of: { kind: 'address', at: (its) => guestAt(this.vm(vmid), its), key: `vm ${vmid}` } };
  }

  private register({ hart, name }: RegisterNode): Evaluated {
    const { x, f, pc, mode, waiting, vmid } = this.hart(hart);
    const of = { kind: 'register' as const, hart, isPc: name === 'pc' };
    if (name === 'pc') return { bits: pc, of };
    if (name === 'mode') return { bits: 0n, name: mode };
    if (name === 'waiting') return truth(waiting);
    if (name === 'vmid') return { bits: BigInt(vmid) };
    const [, file, number] = /^([xf])(\d+)$/.exec(name) ?? [];
    if (file === 'x') return { bits: x[Number(number)]!, of };
    return { bits: file === 'f' ? f[Number(number)]! : this.context.machine.csr(hart, name) };
  }

  private hart(hart: number): HartState {
    checkHart(hart, this.context.machine.config.harts);
    const state = this.harts.get(hart) ?? this.context.machine.hart(hart);
    this.harts.set(hart, state);
    return state;
  }

  private vmField({ vmid, field }: VmNode): Evaluated {
    const vm = this.vm(vmid);
    const { state, hart, pc } = summariseVm(vm);
    if (field === 'state') return { bits: 0n, name: state };
    if (field === 'hgatp') return { bits: vm.hgatp };
    if (field === 'hart') return hart === undefined ? { bits: 0n, name: 'none' } : { bits: BigInt(hart) };
    if (pc === undefined) {
      throw new AbsentError(`the pc of VM ${vmid} is not known: the hypervisor does not publish where it keeps it`);
    }
    return { bits: pc };
  }

  private vm(vmid: number): VmInfo {
    const vm = this.vms.get(vmid) ?? vmWith(this.context, vmid);
    this.vms.set(vmid, vm);
    return vm;
  }

  private binary({ operator, left, right }: BinaryNode): Evaluated {
    const isTrue = (node: Expression) => this.value(node).bits !== 0n;
    if (operator === '&&') return truth(isTrue(left) && isTrue(right));
    if (operator === '||') return truth(isTrue(left) || isTrue(right));
    if (operator === '==') return this.comparison(() => this.areEqual(this.value(left), this.value(right)));
    if (operator === '!=') return this.comparison(() => !this.areEqual(this.value(left), this.value(right)));
    const compare = COMPARISONS[operator];
    if (compare) return this.comparison(() => compare(this.number(left), this.number(right)));
    const [a, b] = [this.value(left), this.value(right)];
    const of = commonOrigin(a.of, b.of);
    return { bits: ARITHMETIC[operator]!(a.bits, b.bits), ...(of && { of }) };
  }

  private number(node: Expression): bigint {
    const { bits, name } = this.value(node);
    // Only vmN.hart is now a number and now a name.
    if (name !== undefined) throw new AbsentError(`'${printExpression(node)}' is ${name}`);
    return bits;
  }

  private areEqual(a: Evaluated, b: Evaluated): boolean {
    if (a.name !== undefined || b.name !== undefined) return a.name === b.name;
    if (a.of?.kind === 'symbol' && isPc(b)) return this.areEqual(b, a);
    if (!isPc(a) || b.of?.kind !== 'symbol') return a.bits === b.bits;
    const { symbol } = b.of;
    return this.isIn(a, symbol, b.bits - symbol.address, 1n);
  }

  private within({ value, range }: WithinNode): boolean {
    const own = this.value(value);
    if ('low' in range) return own.bits >= this.number(range.low) && own.bits < this.number(range.high);
    const symbol = findSymbol(range, this.context.symbols);
    if (symbol.bytes === 0n) throw new UserError(`'${symbol.name}' is a value and no place`);
    return this.isIn(own, symbol, 0n, symbol.bytes);
  }

  /**
   * Whether an address lies in `bytes` bytes of a symbol, linked or loaded. Firmware, hypervisor and guests may have
   * code at the same addresses: a pc lies in a symbol only where its hart runs that software.
   */
  private isIn(value: Evaluated, symbol: FoundSymbol, offset: bigint, bytes: bigint): boolean {
    if (isPc(value)) {
      const { mode, vmid } = this.hart(value.of.hart);
      const side = mode === 'VS' || mode === 'VU' ? 'guest' : 'host';
      if (side !== symbol.side || (symbol.vmid !== undefined && symbol.vmid !== vmid)) return false;
    }
    return [symbol.address, symbol.loaded].some((base) => u64(value.bits - base - offset) < bytes);
  }

  private comparison(compare: () => boolean): Evaluated {
    try {
      return truth(compare());
    } catch (error) {
      if (this.absentIsFalse && error instanceof AbsentError) return truth(false);
      throw error;
    }
  }
}

type Pc = Evaluated & { readonly of: { readonly kind: 'register'; readonly hart: number } };
const isPc = (value: Evaluated): value is Pc => value.of?.kind === 'register' && value.of.isPc;

/** A number added to an address makes another of the same kind; two addresses do not add up to one. */
function commonOrigin(a: Origin | undefined, b: Origin | undefined): Origin | undefined {
  const one = a && b ? undefined : (a ?? b);
  return one?.kind === 'register' ? { ...one, isPc: false } : one;
}

function ambiguous(node: Expression, bits: bigint): string {
  const text = printExpression(node);
  const value = node.kind === 'number' ? '' : ` is ${hex(bits)}, which`;
  const [spa, va, vm] = ['spa', 'va', 'vm1'].map((space) => `${space}:${node.kind === 'number' ? text : `(${text})`}`);
  return `${text}${value} could be an address of several kinds: say ${spa} (physical), ${va} (virtual) or ${vm} (guest-physical)`;
}
