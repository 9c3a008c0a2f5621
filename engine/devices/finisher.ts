/**
 * Test finisher at 0x10_0000 (QEMU's sifive_test): ends the run, and takes notes.
 * A word 0xAAAA_SSSS: SSSS = 0x5555 pass, 0x3333 fail with code AAAA, 0x7777 reset, 0x1000–0x1fff a note with
 * argument AAAA; QEMU ignores any other value, and so does this one. Reads are 0. A halfword store carries no AAAA.
 * The halt itself is machine state (MACHINE.haltCode = word + 1), so the record is empty.
 */
import type { Device } from './device.ts';
import { placeRecord } from './record.ts';

const PASS = 0x5555;
const FAIL = 0x3333;
const RESET = 0x7777;

export const finisher: Device = {
  name: 'finisher',
  sizeBytes: 0x1000,
  accessSizes: [2, 4],
  record: placeRecord('finisher', []),
  reset() {},
  load: () => 0,
  store(port, offset, _sizeBytes, value) {
    if (offset !== 0) return;
    const status = value & 0xffff;
    const arg = value >>> 16;
    if (status === PASS || status === FAIL || status === RESET) port.board.halt(value);
    else if (status >= 0x1000 && status <= 0x1fff) port.board.note(status, arg);
  },
};

/** How the machine ended, from MACHINE.haltCode; undefined while it runs. */
export function decodeHalt(haltCode: number): { status: 'pass' | 'fail' | 'reset'; code: number } | undefined {
  if (haltCode === 0) return undefined;
  const word = haltCode - 1;
  const code = word >>> 16;
  if ((word & 0xffff) === PASS) return { status: 'pass', code: 0 };
  if ((word & 0xffff) === RESET) return { status: 'reset', code };
  return { status: 'fail', code };
}
