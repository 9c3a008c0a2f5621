/**
 * Text to a syntax tree. The grammar, loosest first; every binary operator groups to the left, comparisons do not
 * chain:
 *
 *   expression := or;  or := and ('||' and)*;  and := comparison ('&&' comparison)*
 *   comparison := bits [('==' | '!=' | '<' | '<=' | '>' | '>=') bits | 'in' (SYMBOL | bits '..' bits)]
 *   bits       := '|' over '^' over '&' over '<<' '>>' over '+' '-' over '*' over unary
 *   unary      := ('!' | '~' | '-') unary | primary
 *   primary    := NUMBER | '(' expression ')' | '[' expression ']' [':' (1 | 2 | 4 | 8)]
 *               | 'moment' | 'ticks' | hartN.REGISTER | vmN.FIELD | [(IMAGE | vmN) ':'] SYMBOL
 *               | ('spa' | 'va' | vmN) ':' primary ['@' hartN, behind va]
 *
 * Names are looked up later (names.ts), but for registers, modes and fields, which every machine has.
 */
import { didYouMean, MAX_HARTS, noSuchName, UserError } from '../../engine/index.ts';
import { MAX_VMID } from '../base/index.ts';
import { mistake } from './errors.ts';
import { canonicalRegister, MODES, registerGuess } from './registers.ts';
import {
  type AccessBytes,
  type BinaryOperator,
  type Expression,
  isNamed,
  PRECEDENCE,
  type Space,
  type Span,
  type UnaryOperator,
  VM_FIELDS,
} from './syntax.ts';
import { type Token, tokens } from './tokens.ts';

/** Characters of an expression. */
export const MAX_EXPRESSION = 1000;
/** Parentheses, brackets, prefixes and signs inside each other. */
const MAX_DEPTH = 50;
const COMPARISON = 2;
const MAX_HART = MAX_HARTS - 1;

/** Reads an expression. @throws UserError with the expression and a caret under what is wrong */
export function parseExpression(text: string): Expression {
  if (text.length > MAX_EXPRESSION) {
    throw new UserError(`an expression has at most ${MAX_EXPRESSION} characters, this one has ${text.length}`);
  }
  const parser = new Parser(text);
  const expression = parser.level(0);
  parser.end();
  return expression;
}

class Parser {
  private readonly text: string;
  private readonly tokens: readonly Token[];
  private next = 0;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
    this.tokens = tokens(text);
  }

  end(): void {
    const left = this.peek();
    if (left.kind !== 'end') throw this.mistake(`expected an operator or the end, got '${left.text}'`, left);
  }

  /** A chain of operators of one level, whose operands are of the next. */
  level(n: number): Expression {
    const operators: readonly string[] | undefined = PRECEDENCE[n];
    if (!operators) return this.unary();
    let left = this.level(n + 1);
    for (let isFirst = true; ; isFirst = false) {
      const token = this.peek();
      const isIn = n === COMPARISON && token.kind === 'name' && token.text === 'in';
      if (!isIn && !(token.kind === 'operator' && operators.includes(token.text))) return left;
      if (n === COMPARISON && !isFirst) throw this.mistake("comparisons do not chain: join two with '&&'", token);
      this.next++;
      left = isIn ? this.within(left) : this.binary(token.text as BinaryOperator, left, this.level(n + 1));
    }
  }

  private binary(operator: BinaryOperator, left: Expression, right: Expression): Expression {
    const at = { start: left.at.start, end: right.at.end };
    const names = operator === '==' || operator === '!=';
    if (!names) return { kind: 'binary', operator, left: this.counted(left), right: this.counted(right), at };
    const constants = { left: this.constantBeside(right, left), right: this.constantBeside(left, right) };
    if (isNamed(constants.left) !== isNamed(constants.right)) {
      const other = isNamed(left) ? constants.right : constants.left;
      if (other.kind !== 'constant') throw this.mistake(`${this.quoted(isNamed(left) ? left : right)} is a name`, at);
    }
    return { kind: 'binary', operator, ...constants, at };
  }

  /** A bare name beside a place whose value is a name is one, too: it is no symbol. */
  private constantBeside(place: Expression, node: Expression): Expression {
    if (node.kind !== 'symbol' || node.image !== undefined || node.vmid !== undefined) return node;
    const { name, at } = node;
    const isHart = place.kind === 'vm' && place.field === 'hart' && name === 'none';
    if (!isHart && !isNamed(place)) return node;
    const isMode = place.kind === 'register';
    if (isMode && !MODES.some((mode) => mode === name)) throw this.mistake(noSuchName('mode', name, MODES), at);
    return { kind: 'constant', name, at };
  }

  private within(value: Expression): Expression {
    const low = this.level(COMPARISON + 1);
    if (this.accept('..')) {
      const high = this.level(COMPARISON + 1);
      const range = { low: this.counted(low), high: this.counted(high) };
      return { kind: 'within', value: this.counted(value), range, at: { start: value.at.start, end: high.at.end } };
    }
    if (low.kind !== 'symbol') throw this.mistake("expected a symbol or LOW..HIGH behind 'in'", low.at);
    return { kind: 'within', value: this.counted(value), range: low, at: { start: value.at.start, end: low.at.end } };
  }

  private unary(): Expression {
    const token = this.peek();
    if (token.kind !== 'operator' || !['!', '~', '-'].includes(token.text)) return this.primary();
    this.next++;
    const operand = this.deeper(token, () => this.unary());
    const at = { start: token.start, end: operand.at.end };
    return { kind: 'unary', operator: token.text as UnaryOperator, operand: this.counted(operand), at };
  }

  private primary(): Expression {
    const token = this.take();
    if (token.kind === 'number') return { kind: 'number', value: token.value!, at: spanOf(token) };
    if (token.kind === 'name') return this.named(token);
    if (token.text === '(') {
      const inside = this.deeper(token, () => this.level(0));
      this.expect(')', 'behind what is in parentheses');
      return inside;
    }
    if (token.text === '[') return this.memory(token);
    throw this.mistake(
      `expected a number or a place, got ${token.kind === 'end' ? 'the end' : `'${token.text}'`}`,
      token,
    );
  }

  private memory(open: Token): Expression {
    const address = this.counted(this.deeper(open, () => this.level(0)));
    let { end } = this.expect(']', 'behind the address');
    if (!this.accept(':')) return { kind: 'memory', address, bytes: 8, at: { start: open.start, end } };
    const size = this.take();
    if (size.kind !== 'number' || ![1n, 2n, 4n, 8n].includes(size.value!)) {
      throw this.mistake('expected a size of 1, 2, 4 or 8 bytes', size);
    }
    end = size.end;
    return { kind: 'memory', address, bytes: Number(size.value) as AccessBytes, at: { start: open.start, end } };
  }

  private named(token: Token): Expression {
    const { text } = token;
    const at = spanOf(token);
    if (this.accept(':')) return this.qualified(token);
    if (text === 'moment' || text === 'ticks') return { kind: 'counter', name: text, at };
    if (text === 'in') throw this.mistake("expected a number or a place, got 'in'", token);
    const [, owner, number, field] = /^(hart|vm)(\d+)(?:\.(.+))?$/.exec(text) ?? [];
    if (owner === undefined) return { kind: 'symbol', image: undefined, vmid: undefined, name: text, at };
    if (field === undefined) {
      const example = owner === 'hart' ? `${text}.pc` : `${text}.state or ${text}:0x80000000`;
      throw this.mistake(`'${text}' has no value of its own: say what of it, as ${example}`, token);
    }
    return owner === 'hart' ? this.register(Number(number), field, token) : this.vm(number!, field, token);
  }

  private register(hart: number, field: string, token: Token): Expression {
    const name = canonicalRegister(field);
    if (name === undefined) throw this.mistake(`a hart has no register '${field}'${registerGuess(field)}`, token);
    return { kind: 'register', hart: this.hartNumber(hart, token), name, at: spanOf(token) };
  }

  private vm(number: string, name: string, token: Token): Expression {
    const field = VM_FIELDS.find((one) => one === name);
    if (!field) throw this.mistake(noSuchName('field of a VM', name, VM_FIELDS), token);
    return { kind: 'vm', vmid: this.vmid(number, token), field, at: spanOf(token) };
  }

  /** Behind the colon of `spa:`, `va:`, `vm1:` or an image's name. */
  private qualified(prefix: Token): Expression {
    const vm = /^vm(\d+)$/.exec(prefix.text);
    const vmid = vm ? this.vmid(vm[1]!, prefix) : undefined;
    const target = this.peek();
    const isSymbol = target.kind === 'name' && (vm ? !/^(hart|vm)\d+\./.test(target.text) : !isSpace(prefix.text));
    if (isSymbol) {
      this.next++;
      const at = { start: prefix.start, end: target.end };
      return { kind: 'symbol', image: vm ? undefined : prefix.text, vmid, name: target.text, at };
    }
    if (!vm && !isSpace(prefix.text)) {
      const guess = didYouMean(prefix.text, ['spa', 'va', 'vm1', 'vm2']);
      throw this.mistake(
        `expected a symbol behind '${prefix.text}:'${guess}; addresses follow spa:, va: and vmN:`,
        target,
      );
    }
    const address = this.counted(this.deeper(prefix, () => this.primary()));
    const space = this.space(prefix.text, vmid);
    return { kind: 'address', space, address, at: { start: prefix.start, end: this.tokens[this.next - 1]!.end } };
  }

  private space(prefix: string, vmid: number | undefined): Space {
    if (vmid !== undefined) return { kind: 'gpa', vmid };
    if (prefix === 'spa') return { kind: 'spa' };
    if (!this.accept('@')) return { kind: 'va', hart: undefined };
    const token = this.take();
    const hart = /^hart(\d+)$/.exec(token.text);
    if (!hart) throw this.mistake("expected a hart behind '@', as va:0x80000000@hart1", token);
    return { kind: 'va', hart: this.hartNumber(Number(hart[1]), token) };
  }

  private hartNumber(hart: number, token: Token): number {
    if (!(hart <= MAX_HART)) throw this.mistake(`there is no such hart: a machine has harts 0 to ${MAX_HART}`, token);
    return hart;
  }

  private vmid(digits: string, token: Token): number {
    const vmid = Number(digits);
    if (!(vmid <= MAX_VMID)) throw this.mistake(`a VMID is at most ${MAX_VMID}`, token);
    return vmid;
  }

  /** Refuses what is no number, where one is needed. */
  private counted(node: Expression): Expression {
    if (!isNamed(node)) return node;
    const example = node.kind === 'vm' ? 'running' : 'HS';
    throw this.mistake(`${this.quoted(node)} is a name: compare it with == or !=, as with ${example}`, node.at);
  }

  private quoted = ({ at }: Expression): string => `'${this.text.slice(at.start, at.end)}'`;

  private deeper<T>(at: Span, parse: () => T): T {
    if (++this.depth > MAX_DEPTH) throw this.mistake(`more than ${MAX_DEPTH} levels inside each other`, at);
    const found = parse();
    this.depth--;
    return found;
  }

  private peek = (): Token => this.tokens[this.next]!;

  /** The end is never passed. */
  private take(): Token {
    const token = this.peek();
    if (token.kind !== 'end') this.next++;
    return token;
  }

  private accept(operator: string): boolean {
    const { kind, text } = this.peek();
    if (kind !== 'operator' || text !== operator) return false;
    this.next++;
    return true;
  }

  private expect(operator: string, where: string): Token {
    const token = this.peek();
    if (this.accept(operator)) return token;
    throw this.mistake(
      `expected '${operator}' ${where}, got ${token.kind === 'end' ? 'the end' : `'${token.text}'`}`,
      token,
    );
  }

  private mistake = (problem: string, at: Span): UserError => mistake(problem, this.text, at);
}

const isSpace = (text: string): boolean => text === 'spa' || text === 'va';

const spanOf = ({ start, end }: Span): Span => ({ start, end });
