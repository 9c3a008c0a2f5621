/**
 * What one instruction accesses, found from its name, its registers and how its address translates: the judge's own
 * reading of the manual, which shares nothing with how the machine observes accesses.
 */
import type { HartState, Machine, TranslationStep } from '../../../engine/index.ts';
import { PAGE } from '../tlb/index.ts';

/** Bytes that an instruction reads or writes as itself. */
export interface Access {
  readonly by: 'load' | 'store';
  readonly paddr: number;
  readonly bytes: number;
}

export interface Accessed {
  /** In order, if the instruction retires; which of `conditional` happen shows only then. */
  readonly accesses: readonly Access[];
  /** Stores that happen if memory, or the reservation, lets them. */
  readonly conditional: readonly Access[];
  /** Entries that the walk of its address reads. */
  readonly tables: readonly number[];
}

/** How an instruction accesses memory. */
export interface Form {
  /** `zero`: of a block; `manage`: other operations on a block, which walk and access nothing. */
  readonly kind: 'load' | 'store' | 'both' | 'sc' | 'compare' | 'zero' | 'manage';
  readonly bytes: number;
  /** Through the guest's page tables whatever the mode. */
  readonly asGuest: boolean;
}

const BYTES: Readonly<Record<string, number>> = { b: 1, h: 2, w: 4, d: 8, q: 16 };
const FORMS: readonly (readonly [pattern: RegExp, kind: Form['kind'], asGuest?: true])[] = [
  [/^f?l([bhwd])u?$/, 'load'],
  [/^f?s([bhwd])$/, 'store'],
  [/^lr\.([wd])$/, 'load'],
  [/^sc\.([wd])$/, 'sc'],
  [/^amocas\.([wdq])$/, 'compare'],
  [/^amo[a-z]+\.([wd])$/, 'both'],
  [/^hlvx?\.([bhwd])u?$/, 'load', true],
  [/^hsv\.([bhwd])$/, 'store', true],
];
const ZERO_BYTES = 64;

/** undefined: it accesses no memory as itself. */
export function formOf(name: string): Form | undefined {
  if (name === 'cbo.zero') return { kind: 'zero', bytes: ZERO_BYTES, asGuest: false };
  if (name.startsWith('cbo.')) return { kind: 'manage', bytes: 1, asGuest: false };
  for (const [pattern, kind, asGuest = false] of FORMS) {
    const width = pattern.exec(name)?.[1];
    if (width) return { kind, bytes: BYTES[width]!, asGuest };
  }
  return undefined;
}

/** What a hart accesses if it executes an instruction of this form, with these operands, and does not trap. */
export function accessed(
  machine: Machine,
  hart: number,
  { x }: HartState,
  { rs1 = 0, imm = 0 }: Readonly<Record<string, number>>,
  form: Form,
): Accessed {
  const va = BigInt.asUintN(64, x[rs1]! + BigInt(imm)) & (form.kind === 'zero' ? ~BigInt(ZERO_BYTES - 1) : ~0n);
  const space = form.asGuest ? { vsatp: machine.csr(hart, 'vsatp'), hgatp: machine.csr(hart, 'hgatp') } : undefined;
  const access = form.kind === 'load' || form.kind === 'manage' ? 'load' : 'store';
  const translated = (address: bigint) => machine.explainTranslation(hart, address, access, space);
  const first = translated(va);
  const inPage = PAGE - Number(va & BigInt(PAGE - 1));
  const second = form.bytes > inPage ? translated(va + BigInt(inPage)) : undefined;
  const tables = [...tablesOf(first.steps), ...tablesOf(second?.steps ?? [])];
  const nothing = { accesses: [], conditional: [], tables };
  if (first.paddr === undefined) return nothing;
  const paddr = Number(first.paddr);
  let pieces: Omit<Access, 'by'>[] = [];
  if (!second) {
    const bytes = Math.min(8, form.bytes);
    for (let done = 0; done < form.bytes; done += bytes) pieces.push({ paddr: paddr + done, bytes });
  } else {
    if (second.paddr === undefined) return nothing;
    const high = Number(second.paddr) - inPage;
    pieces = Array.from({ length: form.bytes }, (_, n) => ({ paddr: (n < inPage ? paddr : high) + n, bytes: 1 }));
  }
  const loads = pieces.map((piece): Access => ({ by: 'load', ...piece }));
  const stores = pieces.map((piece): Access => ({ by: 'store', ...piece }));
  switch (form.kind) {
    case 'manage':
      return nothing;
    case 'load':
      return { accesses: loads, conditional: [], tables };
    case 'store':
    case 'zero':
      return { accesses: stores, conditional: [], tables };
    case 'both':
      return { accesses: [...loads, ...stores], conditional: [], tables };
    case 'compare':
      return { accesses: loads, conditional: stores, tables };
    case 'sc':
      return { accesses: [], conditional: stores, tables };
  }
}

/** Physical addresses of the entries that a walk reads. */
export const tablesOf = (steps: readonly TranslationStep[]): number[] => steps.map(({ paddr }) => Number(paddr));
