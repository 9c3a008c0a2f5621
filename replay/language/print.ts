/** A syntax tree as text that `parseExpression` reads back as the same tree, with no more parentheses than it takes. */
import { type Expression, PRECEDENCE, type SymbolNode } from './syntax.ts';

const COMPARISON = 2;
const UNARY = PRECEDENCE.length;

/** The text of a tree. */
export function printExpression(node: Expression): string {
  return print(node, 0);
}

/** In parentheses when it binds less tightly than where it stands. */
function print(node: Expression, level: number): string {
  const own = levelOf(node);
  const text = bare(node, own);
  return own < level ? `(${text})` : text;
}

function levelOf(node: Expression): number {
  if (node.kind === 'within') return COMPARISON;
  if (node.kind === 'unary') return UNARY;
  if (node.kind !== 'binary') return UNARY + 1;
  return PRECEDENCE.findIndex((operators: readonly string[]) => operators.includes(node.operator));
}

function bare(node: Expression, own: number): string {
  switch (node.kind) {
    case 'number':
      return numberText(node.value);
    case 'counter':
    case 'constant':
      return node.name;
    case 'symbol':
      return symbolText(node);
    case 'register':
      return `hart${node.hart}.${node.name}`;
    case 'vm':
      return `vm${node.vmid}.${node.field}`;
    case 'memory':
      return `[${print(node.address, 0)}]:${node.bytes}`;
    case 'address': {
      const { space, address } = node;
      // Behind vmN: a bare name would be a symbol of that VM.
      const isName = space.kind === 'gpa' && (address.kind === 'symbol' || address.kind === 'counter');
      const isPlain = levelOf(address) > UNARY && address.kind !== 'address' && !isName;
      const text = isPlain ? print(address, 0) : `(${print(address, 0)})`;
      if (space.kind === 'gpa') return `vm${space.vmid}:${text}`;
      return `${space.kind}:${text}${space.kind === 'va' && space.hart !== undefined ? `@hart${space.hart}` : ''}`;
    }
    case 'unary':
      return `${node.operator}${print(node.operand, own)}`;
    case 'within': {
      const { value, range } = node;
      const text = 'low' in range ? `${print(range.low, own + 1)}..${print(range.high, own + 1)}` : symbolText(range);
      return `${print(value, own + 1)} in ${text}`;
    }
    case 'binary': {
      const left = own === COMPARISON ? own + 1 : own;
      return `${print(node.left, left)} ${node.operator} ${print(node.right, own + 1)}`;
    }
  }
}

const symbolText = ({ image, vmid, name }: SymbolNode): string =>
  `${image === undefined ? '' : `${image}:`}${vmid === undefined ? '' : `vm${vmid}:`}${name}`;

/** Small ones as people count, others as addresses. */
const numberText = (value: bigint): string => (value < 4096n ? `${value}` : `0x${value.toString(16)}`);
