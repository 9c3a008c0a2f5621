/** What an expression names, for those that show, watch or search a place. Relies on evaluate.ts for addresses. */
import { UserError } from '../../engine/index.ts';
import { addressOf } from './evaluate.ts';
import { type Context, locate, type MemoryPlace } from './memory.ts';
import { findSymbol } from './names.ts';
import { printExpression } from './print.ts';
import type { Expression, RegisterNode, VmNode } from './syntax.ts';

export type MachinePlace =
  | MemoryPlace
  | Pick<RegisterNode, 'kind' | 'hart' | 'name'>
  | Pick<VmNode, 'kind' | 'vmid' | 'field'>
  | { readonly kind: 'counter'; readonly name: 'moment' | 'ticks' };

/** Bytes at most that one place has. */
export const MAX_PLACE_BYTES = 1 << 20;
const WORD = 8;

/**
 * The place that an expression names. Memory is looked up as it is mapped at this moment; `[ADDR]:4` has its own size,
 * a symbol the one that its image says, any other address 8 bytes, unless `bytes` says how many.
 * @throws UserError when it is no place, or does not say in which space; AbsentError for a VM that there is not now
 */
export function resolvePlace(node: Expression, context: Context, bytes?: number): MachinePlace {
  const { machine } = context;
  switch (node.kind) {
    case 'register':
      return { kind: 'register', hart: node.hart, name: node.name };
    case 'vm':
      return { kind: 'vm', vmid: node.vmid, field: node.field };
    case 'counter':
      return { kind: 'counter', name: node.name };
    case 'memory':
      return locate(machine, addressOf(node.address, context), bytes ?? node.bytes);
    case 'symbol': {
      const size = Number(findSymbol(node, context.symbols).bytes);
      return locate(machine, addressOf(node, context), bytes ?? Math.min(size, MAX_PLACE_BYTES));
    }
    default:
      if (isTruth(node)) throw new UserError(`'${printExpression(node)}' is true or false, and no place`);
      return locate(machine, addressOf(node, context), bytes ?? WORD);
  }
}

const TRUTHS: readonly string[] = ['||', '&&', '==', '!=', '<', '<=', '>', '>='];

function isTruth(node: Expression): boolean {
  if (node.kind === 'within') return true;
  return (node.kind === 'binary' || node.kind === 'unary') && (node.operator === '!' || TRUTHS.includes(node.operator));
}
