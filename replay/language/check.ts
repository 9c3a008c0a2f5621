/**
 * What can be said of an expression before a run is searched for it: whether its names exist on this machine at all.
 * Whether a VM or a mapping exists is a matter of the moment, and of evaluate.ts.
 */
import { noSuchName, UserError, visible, vmStates } from '../../engine/index.ts';
import { mistake } from './errors.ts';
import type { Context } from './memory.ts';
import { findSymbol } from './names.ts';
import type { BinaryNode, Expression } from './syntax.ts';

/**
 * Looks up every symbol, hart and state that an expression names. `text`: what it was read from, to mark the place.
 * @throws UserError for the first that does not exist
 */
export function checkExpression(node: Expression, context: Context, text?: string): void {
  for (const child of childrenOf(node)) checkExpression(child, context, text);
  try {
    checkNode(node, context);
  } catch (error) {
    if (text === undefined || !(error instanceof UserError)) throw error;
    throw mistake(error.message, text, node.at);
  }
}

/** The expressions that a node is made of, in the order in which they were written. */
export function childrenOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'memory':
    case 'address':
      return [node.address];
    case 'unary':
      return [node.operand];
    case 'binary':
      return [node.left, node.right];
    case 'within':
      return 'low' in node.range ? [node.value, node.range.low, node.range.high] : [node.value, node.range];
    default:
      return [];
  }
}

function checkNode(node: Expression, { machine, symbols }: Context): void {
  if (node.kind === 'symbol') findSymbol(node, symbols);
  if (node.kind === 'register') checkHart(node.hart, machine.config.harts);
  if (node.kind === 'address' && node.space.kind === 'va' && node.space.hart !== undefined) {
    checkHart(node.space.hart, machine.config.harts);
  }
  if (node.kind === 'binary') checkStates(node, vmStates(symbols.hypervisor).map(visible));
}

/** @throws UserError for a hart that the machine lacks */
export function checkHart(hart: number, harts: number): void {
  if (hart >= harts) throw new UserError(`there is no hart ${hart}: this machine has harts 0 to ${harts - 1}`);
}

function checkStates({ left, right }: BinaryNode, states: readonly string[]): void {
  for (const [place, name] of [
    [left, right],
    [right, left],
  ] as const) {
    if (place.kind !== 'vm' || place.field !== 'state' || name.kind !== 'constant') continue;
    if (!states.includes(name.name)) throw new UserError(noSuchName('state of a VM', name.name, states));
  }
}
