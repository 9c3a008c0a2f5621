/**
 * The table of CSRs as bytes that `arch/csr-table.ts` looks registers up in: offsets by number, then rows of the
 * layout's CSR block.
 */
import { CSR_EFFECTS, CSR_GUARDS, CSR_SOURCES, CSR_WRITES, CSRS, type Csr } from '../isa/index.ts';
import { CSR, field, HART, offsetOf } from './layout/index.ts';

const NUMBERS = 4096;
const PLACES = NUMBERS * 2;

/** Bytes for MACHINE.csrTableHost. */
export function encodeCsrTable(): Uint8Array {
  const present = CSRS.filter(({ implementation }) => implementation);
  const at = new Map(present.map(({ name }, index) => [name, PLACES + index * CSR.sizeBytes]));
  const bytes = new Uint8Array(PLACES + present.length * CSR.sizeBytes);
  const view = new DataView(bytes.buffer);
  for (const csr of present) {
    view.setUint16(csr.number * 2, at.get(csr.name)!, true);
    writeRow(view, at, csr);
  }
  return bytes;
}

function writeRow(
  view: DataView,
  at: ReadonlyMap<string, number>,
  { name, number, readOnly, implementation }: Csr,
): void {
  const its = implementation!;
  const row = at.get(name)!;
  const put = (word: string, value: number) => {
    const { offset, type } = field(CSR, word);
    if (type === 'u8') view.setUint8(row + offset, value);
    else view.setUint32(row + offset, value, true);
  };
  view.setBigUint64(row + offsetOf(CSR, 'visible'), its.visible, true);
  view.setBigUint64(row + offsetOf(CSR, 'writable'), its.writable, true);
  put('state', offsetOf(HART, its.state) + 8 * its.element);
  put('target', offsetOf(HART, its.target) + 8 * its.element);
  put('gate', its.gate === undefined ? 0 : offsetOf(HART, its.gate));
  put('twin', its.twin === undefined ? 0 : at.get(its.twin)!);
  put('source', CSR_SOURCES.indexOf(its.source));
  put('write', CSR_WRITES.indexOf(its.write));
  put(
    'effects',
    its.effects.reduce((bits, effect) => bits | (1 << CSR_EFFECTS.indexOf(effect)), 0),
  );
  put('guard', CSR_GUARDS.indexOf(its.guard));
  put('shift', its.shift);
  put('privilege', (number >> 8) & 3);
  put('readOnly', readOnly ? 1 : 0);
}
