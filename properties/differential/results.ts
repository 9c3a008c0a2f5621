/** Result records as data, and their comparison field by field. */

import { agrees, incomparable } from './known.ts';
import { MAX_TRAPS, PAGES, type RecordShape, resultWords, TRAP_FIELDS } from './layout.ts';

export type Result =
  /** The machine did not come back from the case. */
  | { readonly kind: 'lost' }
  /** The case was over only because its time was: what it did until then depends on how fast the machine is. */
  | { readonly kind: 'timed out' }
  | { readonly kind: 'done'; readonly fields: ReadonlyMap<string, bigint> };

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
  if (word(at.timedOut) !== 0n) return { kind: 'timed out' };
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
  return { kind: 'done', fields };
}

const NO_FIELDS: ReadonlyMap<string, bigint> = new Map();

/** Where the results differ, known differences left out; empty when they agree. */
export function differences(ours: Result, qemu: Result): Difference[] {
  // QEMU's time is real: on a busy host a long case does not come to its end.
  if (qemu.kind === 'timed out' && ours.kind !== 'lost') return [];
  if (ours.kind === 'timed out' && qemu.kind === 'done' && incomparable(NO_FIELDS, qemu.fields)) return [];
  if (ours.kind !== 'done' || qemu.kind !== 'done') {
    return ours.kind === qemu.kind ? [] : [{ field: `ours ${ours.kind}, QEMU ${qemu.kind}`, ours: 0n, qemu: 0n }];
  }
  if (incomparable(ours.fields, qemu.fields)) return [];
  const found: Difference[] = [];
  for (const [field, value] of ours.fields) {
    const other = qemu.fields.get(field) ?? 0n;
    if (!agrees(field, value, other, qemu.fields)) {
      found.push({ field, ours: value, qemu: other });
    }
  }
  return found;
}
