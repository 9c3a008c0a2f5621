/**
 * Faults as text, the form of flags and scenarios: `failstop`, `failstop,hart=1`, `register=x10,bit=5,hart=0`,
 * `register=pc,bit=2`, `memory=0x80201000,bit=3`, `code=instruction,bit=7`, `code=window,bit=100,repair=never`
 * (or `stuck`),
 * `csr=hgatp,bit=44`, `interrupt=timer,effect=late,ticks=100000`, `interrupt=10,effect=lost`,
 * `device=7,effect=io-error`. Does not know the machine: whether hart, address and device exist is checked when the
 * fault is applied.
 */
import { didYouMean, UserError } from '../base/index.ts';
import { FAULT_CSRS, type Fault, type FaultCsr, NEXT_HART, PC_REGISTER, REPAIRS, WINDOW_BITS } from './types.ts';

const FORMS =
  "'failstop', 'register=x10,bit=5', 'memory=0x80201000,bit=3', 'code=instruction,bit=7', 'csr=hgatp,bit=44', " +
  "'interrupt=ipi,effect=lost' or 'device=7,effect=io-error', those of a hart with ',hart=N' if wanted";
const MODELS: readonly Fault['model'][] = ['failstop', 'register', 'memory', 'code', 'csr', 'interrupt', 'device'];
const MAX_HART = 7;
const MAX_SLOT = 7;
const MAX_SOURCE = 95;
const INSTRUCTION_BITS = 32;

/** Reads a fault; without `hart=` it hits the next hart. @throws UserError naming what is wrong and the forms. */
export function parseFault(text: string): Fault {
  const [head = '', ...rest] = text.split(',').map((part) => part.trim());
  const [model = '', value] = split(head);
  const options = readOptions(text, rest);
  const fields = new Options(text, model, options);
  const fault = build(model, value, fields);
  const unused = [...options.keys()][0];
  if (unused !== undefined)
    throw wrong(text, `'${unused}' does not belong to '${model}'${didYouMean(unused, fields.asked)}`);
  return fault;
}

/** The text that `parseFault` reads back as the same fault. */
export function formatFault(fault: Fault): string {
  const hart = 'hart' in fault && fault.hart !== NEXT_HART ? `,hart=${fault.hart}` : '';
  switch (fault.model) {
    case 'failstop':
      return `failstop${hart}`;
    case 'register':
      return `register=${fault.register === PC_REGISTER ? 'pc' : `x${fault.register}`},bit=${fault.bit}${hart}`;
    case 'memory':
      return `memory=0x${fault.paddr.toString(16)},bit=${fault.bit}`;
    case 'code':
      return `code=${fault.span},bit=${fault.bit}${fault.repair === REPAIRS[0] ? '' : `,repair=${fault.repair}`}${hart}`;
    case 'csr':
      return `csr=${fault.csr},bit=${fault.bit}${hart}`;
    case 'interrupt': {
      const late = fault.effect === 'late' ? `,ticks=${fault.ticks}` : '';
      return `interrupt=${fault.line},effect=${fault.effect}${late}${hart}`;
    }
    case 'device':
      return `device=${fault.slot},effect=${fault.effect}`;
  }
}

/** A fault that came as data from outside (a campaign's database); undefined when it is none. */
export function readPlannedFault(data: Readonly<Record<string, unknown>>): Fault | undefined {
  try {
    const fault = parseFault(formatFault(data as unknown as Fault));
    return Object.entries(fault).every(([name, value]) => data[name] === value) ? fault : undefined;
  } catch {
    return undefined;
  }
}

/** The same for one that was injected (a trace's): undefined, too, when it does not say which hart it hit. */
export function readFault(data: Readonly<Record<string, unknown>>): Fault | undefined {
  const fault = readPlannedFault(data);
  const isDefinite = fault && (!('hart' in fault) || fault.hart !== NEXT_HART || typeof data.line === 'number');
  return isDefinite ? fault : undefined;
}

/** What follows the model, by name; each is taken once. */
class Options {
  readonly text: string;
  readonly #model: string;
  readonly #given: Map<string, string>;
  /** What the model was asked for so far. */
  readonly asked = new Set<string>();
  constructor(text: string, model: string, given: Map<string, string>) {
    this.text = text;
    this.#model = model;
    this.#given = given;
  }

  number(name: string, max: number, otherwise?: number): number {
    const given = this.#take(name);
    if (given !== undefined) return integer(this.text, name, given, max);
    if (otherwise === undefined) throw wrong(this.text, `'${this.#model}' needs '${name}=0…${max}'`);
    return otherwise;
  }

  word<T extends string>(name: string, words: readonly T[], otherwise?: T): T {
    const given = this.#take(name) ?? otherwise;
    const found = words.find((word) => word === given);
    if (found !== undefined) return found;
    throw wrong(
      this.text,
      `'${this.#model}' needs '${name}=${words.join('|')}'${given === undefined ? '' : not(given, words)}`,
    );
  }

  hart(): number {
    return this.number('hart', MAX_HART, NEXT_HART);
  }

  #take(name: string): string | undefined {
    const given = this.#given.get(name);
    this.asked.add(name);
    this.#given.delete(name);
    return given;
  }
}

function build(model: string, value: string | undefined, options: Options): Fault {
  const { text } = options;
  switch (model) {
    case 'failstop':
      if (value !== undefined) throw wrong(text, "'failstop' takes no value");
      return { model, hart: options.hart() };
    case 'register':
      return { model, hart: options.hart(), register: register(text, value), bit: options.number('bit', 63) };
    case 'memory':
      if (value === undefined) throw wrong(text, "'memory' needs a physical address, as in 'memory=0x80201000'");
      return {
        model,
        paddr: integer(text, 'memory', value, Number.MAX_SAFE_INTEGER),
        bit: options.number('bit', 7),
      };
    case 'code': {
      const span = oneOf(text, model, value, ['instruction', 'window'] as const);
      const bit = options.number('bit', (span === 'window' ? WINDOW_BITS : INSTRUCTION_BITS) - 1);
      const repair = options.word('repair', REPAIRS, REPAIRS[0]);
      return { model, hart: options.hart(), span, bit, repair };
    }
    case 'csr':
      return {
        model,
        hart: options.hart(),
        csr: oneOf<FaultCsr>(text, model, value, FAULT_CSRS),
        bit: options.number('bit', 63),
      };
    case 'interrupt':
      return interrupt(value, options);
    case 'device':
      if (value === undefined) throw wrong(text, "'device' needs a virtio slot, as in 'device=7'");
      return {
        model,
        slot: integer(text, 'device', value, MAX_SLOT),
        effect: options.word('effect', ['io-error', 'drop-frame'] as const),
      };
    default:
      throw wrong(
        text,
        model === '' ? 'it is empty' : `there is no fault model '${model}'${didYouMean(model, MODELS)}`,
      );
  }
}

function interrupt(value: string | undefined, options: Options): Fault {
  const { text } = options;
  const isSource = /^\d/.test(value ?? '');
  const line = isSource
    ? integer(text, 'interrupt', value!, MAX_SOURCE)
    : oneOf(text, 'interrupt', value, ['ipi', 'timer'] as const);
  if (line === 0) throw wrong(text, 'there is no interrupt source 0');
  const effect = options.word('effect', ['lost', 'duplicated', 'late'] as const);
  const ticks = effect === 'late' ? options.number('ticks', 1e12) : 0;
  if (effect === 'late' && ticks === 0) throw wrong(text, "'ticks' must be at least 1");
  return { model: 'interrupt', hart: isSource ? NEXT_HART : options.hart(), line, effect, ticks };
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

function oneOf<T extends string>(text: string, model: string, value: string | undefined, words: readonly T[]): T {
  const found = words.find((word) => word === value);
  if (found === undefined) throw wrong(text, `'${model}' needs one of ${words.join(', ')}${not(value ?? '', words)}`);
  return found;
}

const not = (given: string, words: readonly string[]): string => `, not '${given}'${didYouMean(given, words)}`;

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
