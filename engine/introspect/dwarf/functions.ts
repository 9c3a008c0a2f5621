/**
 * Functions by address: names, parameters, and which functions were inlined there. A unit is read when an address in it
 * is first asked for.
 */
import { type CodeRange, rangesOf } from './ranges.ts';
import type { Types } from './types.ts';
import { type Entries, type Entry, TAG, type Unit } from './units.ts';

export interface DebugParameter {
  /** Empty: it has none. */
  readonly name: string;
  /** As in C: `struct vm *`. */
  readonly type: string;
}

export interface DebugFunction {
  readonly name: string;
  /** The stretch of its code with the address: first address, and the one behind it. */
  readonly low: bigint;
  readonly high: bigint;
  /** In order. By the calling convention the first eight that are no larger than a register are in a0 to a7. */
  readonly parameters: readonly DebugParameter[];
  /** As in C; `void` when it returns nothing. */
  readonly returns: string;
  /** Functions whose code was inlined at the address, the innermost first. */
  readonly inlined: readonly string[];
}

/** Code of a function, or of one that was inlined into it. */
interface Code extends CodeRange {
  readonly entry: Entry;
}

/** Of one function. */
const MAX_PARAMETERS = 64;

/** Finds functions. `problem` is called with a line for each unit that cannot be read. */
export class Functions {
  readonly #entries: Entries;
  readonly #units: readonly Unit[];
  readonly #types: Types;
  readonly #ranges: readonly (CodeRange & { readonly unit: Unit })[];
  readonly #code = new Map<Unit, readonly Code[]>();

  constructor(entries: Entries, units: readonly Unit[], types: Types, attempt: (work: () => void) => void) {
    this.#entries = entries;
    this.#units = units;
    this.#types = types;
    const ranges: (CodeRange & { readonly unit: Unit })[] = [];
    for (const unit of units) {
      attempt(() => {
        const top = entries.entryAt(unit, unit.first);
        if (top) ranges.push(...rangesOf(entries, top, top).map((range) => ({ ...range, unit })));
      });
    }
    this.#ranges = ranges;
  }

  /** @throws DwarfError when its unit is damaged */
  at(address: bigint): DebugFunction | undefined {
    const has = ({ low, high }: CodeRange) => address >= low && address < high;
    const unit = this.#ranges.find(has)?.unit;
    const around = unit ? this.#codeOf(unit).filter(has) : [];
    const outer = around.find(({ entry }) => entry.tag === TAG.subprogram);
    if (!outer) return undefined;
    const { entry, low, high } = outer;
    const nameOf = (of: Entry) => this.#entries.name(of, this.#units) ?? '?';
    // Entries stand in the order of their nesting.
    const inlined = around
      .filter((code) => code.entry.tag === TAG.inlined_subroutine)
      .map((code) => nameOf(code.entry));
    return {
      ...{ name: nameOf(entry), low, high, parameters: this.#parameters(entry) },
      returns: this.#types.name(this.#types.of(entry)),
      inlined: inlined.toReversed(),
    };
  }

  #codeOf(unit: Unit): readonly Code[] {
    const known = this.#code.get(unit);
    if (known) return known;
    const code: Code[] = [];
    // Should something in it be damaged: what stands before that is known from now on.
    this.#code.set(unit, code);
    let top: Entry | undefined;
    for (const { entry } of this.#entries.all(unit)) {
      top ??= entry;
      if (entry.tag !== TAG.subprogram && entry.tag !== TAG.inlined_subroutine) continue;
      for (const range of rangesOf(this.#entries, entry, top)) code.push({ ...range, entry });
    }
    return code;
  }

  #parameters(entry: Entry): DebugParameter[] {
    const parameters: DebugParameter[] = [];
    for (const child of this.#entries.children(entry)) {
      if (child.tag !== TAG.formal_parameter) continue;
      if (parameters.length === MAX_PARAMETERS) break;
      const name = this.#entries.name(child, this.#units) ?? '';
      parameters.push({ name, type: this.#types.name(this.#types.of(child)) });
    }
    return parameters;
  }
}
