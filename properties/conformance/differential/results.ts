/** Result records as data, and their comparison field by field. */

import { agrees } from './known.ts';
import { MAX_TRAPS, PAGES, type RecordShape, resultWords, TRAP_FIELDS } from './layout.ts';

export type Result =
  /** The machine did not come back from the case. */
  | { readonly kind: 'lost' }
  /** Over because its time was; `fields` as they were then. */
  | { readonly kind: 'endless'; readonly fields: Fields }
  | { readonly kind: 'done'; readonly fields: Fields };

type Fields = ReadonlyMap<string, bigint>;

export interface Difference {
  /** e.g. `x10`, `htval`, `trap 2 mcause`, `page 3`. */
  readonly field: string;
  readonly ours: bigint;
  readonly qemu: bigint;
}

/** Reads a record of RESULTS. */
export function decodeResult(record: BigUint64Array, shape: RecordShape): Result {
  const at = resultWords(shape);
  const word = (index: number) => record[index] ?? 0n;
  const fields = new Map<string, bigint>();
  const traps = Number(word(at.traps));
  fields.set('traps', word(at.traps));
  for (let trap = 0; trap < Math.min(traps, MAX_TRAPS); trap++) {
    for (const [n, name] of TRAP_FIELDS.entries()) {
      fields.set(`trap ${trap} ${name}`, word(at.log + trap * TRAP_FIELDS.length + n));
    }
  }
  for (let n = 1; n < 32; n++) fields.set(`x${n}`, word(at.x + n));
  if (shape.floats) {
    for (let n = 0; n < 32; n++) fields.set(`f${n}`, word(at.f + n));
    fields.set('fcsr', word(at.f + 32));
  }
  for (const [n, name] of shape.recorded.entries()) fields.set(name, word(at.csrs + n));
  for (let page = 0; page < PAGES.count; page++) fields.set(`page ${page}`, word(at.pages + page));
  return { kind: word(at.timedOut) === 0n ? 'done' : 'endless', fields };
}

/** The result without fields that go on changing; of its last trap, which is the harness's, only the cause counts. */
export function without(result: Extract<Result, { kind: 'endless' }>, changing: ReadonlySet<string>): Result {
  const last = `trap ${(result.fields.get('traps') ?? 1n) - 1n} `;
  const isSettled = (name: string) => !changing.has(name.startsWith(last) ? name.slice(last.length) : name);
  return { ...result, fields: new Map([...result.fields].filter(([name]) => isSettled(name))) };
}

/**
 * Where the results differ, known differences left out; empty when they agree. Of ours, only what it has is compared.
 */
export function differences(ours: Result, qemu: Result): Difference[] {
  if (ours.kind === 'lost' || qemu.kind === 'lost' || ours.kind !== qemu.kind) {
    return ours.kind === qemu.kind ? [] : [{ field: `ours ${ours.kind}, QEMU ${qemu.kind}`, ours: 0n, qemu: 0n }];
  }
  const found: Difference[] = [];
  for (const [field, value] of ours.fields) {
    const other = qemu.fields.get(field) ?? 0n;
    if (!agrees(field, value, other, qemu.fields)) {
      found.push({ field, ours: value, qemu: other });
    }
  }
  return found;
}
