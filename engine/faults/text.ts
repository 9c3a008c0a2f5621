/**
 * Faults as text, the form of flags and scenarios: `failstop`, `failstop,hart=1`, `register=x10,bit=5,hart=0`,
 * `register=pc,bit=2`, `memory=0x80201000,bit=3`. Does not know the machine: whether the hart and the address exist is
 * checked when the fault is applied.
 */
import { UserError } from '../errors.ts';
import { type Fault, NEXT_HART, PC_REGISTER } from './types.ts';

const FORMS = "'failstop', 'register=x10,bit=5' or 'memory=0x80201000,bit=3', the first two with ',hart=N' if wanted";
const MAX_HART = 7;

/** Reads a fault; without `hart=` it hits the next hart. @throws UserError naming what is wrong and the forms. */
export function parseFault(text: string): Fault {
  const [head = '', ...rest] = text.split(',').map((part) => part.trim());
  const [model = '', value] = split(head);
  const options = readOptions(text, rest);
  const fault = build(text, model, value, options);
  const unused = [...options.keys()][0];
  if (unused !== undefined) throw wrong(text, `'${unused}' does not belong to '${model}'`);
  return fault;
}

/** The text that `parseFault` reads back as the same fault. */
export function formatFault(fault: Fault): string {
  const hart = fault.model === 'memory' || fault.hart === NEXT_HART ? '' : `,hart=${fault.hart}`;
  switch (fault.model) {
    case 'failstop':
      return `failstop${hart}`;
    case 'register':
      return `register=${fault.register === PC_REGISTER ? 'pc' : `x${fault.register}`},bit=${fault.bit}${hart}`;
    case 'memory':
      return `memory=0x${fault.paddr.toString(16)},bit=${fault.bit}`;
  }
}

/** Takes what it uses out of `options`. */
function build(text: string, model: string, value: string | undefined, options: Map<string, string>): Fault {
  const take = (name: string, max: number, otherwise?: number): number => {
    const given = options.get(name);
    options.delete(name);
    if (given !== undefined) return integer(text, name, given, max);
    if (otherwise === undefined) throw wrong(text, `'${model}' needs '${name}=0…${max}'`);
    return otherwise;
  };
  if (model === 'failstop') {
    if (value !== undefined) throw wrong(text, "'failstop' takes no value");
    return { model, hart: take('hart', MAX_HART, NEXT_HART) };
  }
  if (model === 'register') {
    return { model, hart: take('hart', MAX_HART, NEXT_HART), register: register(text, value), bit: take('bit', 63) };
  }
  if (model === 'memory') {
    if (value === undefined) throw wrong(text, "'memory' needs a physical address, as in 'memory=0x80201000'");
    return { model, paddr: integer(text, 'memory', value, Number.MAX_SAFE_INTEGER), bit: take('bit', 7) };
  }
  throw wrong(text, model === '' ? 'it is empty' : `there is no fault model '${model}'`);
}

function readOptions(text: string, parts: readonly string[]): Map<string, string> {
  const options = new Map<string, string>();
  for (const part of parts) {
    const [name, value] = split(part);
    if (value === undefined) throw wrong(text, `'${part}' is not of the form name=value`);
    if (options.has(name)) throw wrong(text, `'${name}' is given twice`);
    options.set(name, value);
  }
  return options;
}

function register(text: string, value: string | undefined): number {
  if (value === 'pc') return PC_REGISTER;
  const number = /^x([1-9]|[12]\d|3[01])$/.exec(value ?? '')?.[1];
  if (number === undefined) throw wrong(text, `'register' needs x1…x31 or pc, not '${value ?? ''}'`);
  return Number(number);
}

function integer(text: string, name: string, value: string, max: number): number {
  const number = /^(0x[0-9a-f]+|\d+)$/i.test(value) ? Number(value) : Number.NaN;
  // Negated, so that NaN is refused too.
  if (!(number <= max)) throw wrong(text, `'${name}' must be an integer from 0 to ${max}, not '${value}'`);
  return number;
}

function split(part: string): [string, string | undefined] {
  const at = part.indexOf('=');
  return at < 0 ? [part, undefined] : [part.slice(0, at), part.slice(at + 1)];
}

const wrong = (text: string, why: string) => new UserError(`fault '${text}': ${why}; faults are ${FORMS}`);
