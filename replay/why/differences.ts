/**
 * What two steps that are each other's counterparts found differently: operands, the instruction itself, the CSRs and
 * page-table entries that decide besides. Moves both runs where it has to look at their states.
 */
import { accessed, isStable, samePlace, type UsePair } from './compare.ts';
import { codeUse, csrRead, memoryRead, namedCsr, registersRead, type Use } from './flow.ts';
import { valueAt } from './producer.ts';
import type { RunSteps, Step, StepNumber } from './steps.ts';

const ROOTS = ['hgatp', 'vsatp', 'satp'] as const;

/** CSRs that decide where traps and returns lead, which interrupts are taken, and what is allowed. */
const DECIDING = [
  ...(['mstatus', 'hstatus', 'vsstatus', 'mepc', 'sepc', 'vsepc', 'mtvec', 'stvec', 'vstvec'] as const),
  ...(['medeleg', 'mideleg', 'hedeleg', 'hideleg', 'mie', 'vsie', 'hvip', 'hgeie'] as const),
  ...(['mcounteren', 'hcounteren', 'scounteren', 'menvcfg', 'henvcfg', 'senvcfg'] as const),
  ...(['satp', 'vsatp', 'hgatp', 'stimecmp', 'vstimecmp', 'htimedelta', 'pmpcfg0', 'pmpaddr0'] as const),
];

export class Differences {
  private readonly a: RunSteps;
  private readonly b: RunSteps;

  constructor(a: RunSteps, b: RunSteps) {
    [this.a, this.b] = [a, b];
  }

  /** Operands that differ: the instruction itself, registers, memory, CSRs. */
  operands(a: Step, b: Step): UsePair[] {
    const pairs: UsePair[] = [];
    const add = (ofA: readonly Use[], ofB: readonly Use[]) => {
      for (const [n, one] of ofA.entries()) {
        const other = ofB[n];
        if (!other || one.value === other.value || !samePlace(one.location, other.location)) continue;
        pairs.push({ a: one, b: other, atA: a.number, atB: b.number });
      }
    };
    if (a.isTrap) return pairs;
    if (a.raw !== b.raw) {
      const bytes = (a.raw & 3) === 3 && (b.raw & 3) === 3 ? 4 : 2;
      if (a.code === b.code) add([codeUse(a, bytes)], [codeUse(b, bytes)]);
      // What another instruction reads is no answer.
      return pairs;
    }
    add(registersRead(a), registersRead(b));
    if (pairs.length > 0) return pairs;
    add(memoryRead(a), memoryRead(b));
    if (a.csr && b.csr && isStable(a.csr.number)) add(csrRead(a), csrRead(b));
    return pairs;
  }

  /** CSRs of the hart that differ right before two steps. */
  deciding(atA: StepNumber, atB: StepNumber): UsePair[] {
    const { hart } = this.a.get(atA);
    return DECIDING.flatMap((name) => this.csr(name, hart, atA, atB));
  }

  /** Page-table entries and roots that the address of an access or fetch was translated by, and that differ. */
  translation(a: Step, b: Step): UsePair[] {
    const address = translatedBy(a, b);
    if (!address) return [];
    const explain = (run: RunSteps, step: Step) => {
      run.run.toTicks(step.ticks, 'applied');
      return run.run.machine.explainTranslation(step.hart, address.va, address.access);
    };
    const [ofA, ofB] = [explain(this.a, a), explain(this.b, b)];
    const entries: UsePair[] = [];
    for (const [n, step] of ofA.steps.entries()) {
      const other = ofB.steps[n];
      if (other?.paddr !== step.paddr) break;
      if (other.pte === step.pte) continue;
      const location = { kind: 'memory', paddr: Number(step.paddr), bytes: 8 } as const;
      const [useA, useB] = [step, other].map(({ pte }): Use => ({ location, value: pte }));
      entries.push({ a: useA!, b: useB!, atA: a.number, atB: b.number });
    }
    const isElsewhere = ofA.paddr !== ofB.paddr || ofA.fault?.cause !== ofB.fault?.cause;
    if (!isElsewhere && entries.length === 0) return [];
    return [...ROOTS.flatMap((name) => this.csr(name, a.hart, a.number, b.number)), ...entries];
  }

  private csr(name: string, hart: number, atA: StepNumber, atB: StepNumber): UsePair[] {
    const location = namedCsr(hart, name);
    const [a, b] = [valueAt(this.a, location, atA), valueAt(this.b, location, atB)];
    return a === b ? [] : [{ a: { location, value: a }, b: { location, value: b }, atA, atB }];
  }
}

/** The address that both steps translated: of their accesses, or of the fetch that succeeded in one of the two only. */
function translatedBy(a: Step, b: Step): ReturnType<typeof accessed> {
  const [ofA, ofB] = [accessed(a), accessed(b)];
  if (a.pc === b.pc && a.isTrap !== b.isTrap) {
    const fetched = a.isTrap ? ofA : ofB;
    if (fetched?.access === 'fetch') return fetched;
  }
  return ofA?.va === ofB?.va ? ofA : undefined;
}
