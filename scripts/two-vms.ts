/** The hypervisor of docs/debugging.md as an image, from its source by the project's own assembler. */
import { readFileSync } from 'node:fs';
import { assemble } from '../engine/index.ts';
import { executable } from '../replay/bisect-testing.ts';

/** From the root of the repository. */
export const TWO_VMS = 'docs/debugging/two-vms.elf';
const SOURCE = new URL('../docs/debugging/two-vms.s', import.meta.url);
/** Where firmware starts a kernel. */
const ORIGIN = 0x8020_0000;

export const twoVmsSource = (): string => readFileSync(SOURCE, 'utf8');

/** An ELF executable with the source's labels as symbols; its constants are left out. */
export function twoVmsImage(source = twoVmsSource()): Uint8Array {
  const { bytes, symbols } = assemble(source, ORIGIN);
  const isLabel = (value: bigint) => value >= ORIGIN && value < ORIGIN + bytes.length;
  return executable(ORIGIN, bytes, { symbols: new Map([...symbols].filter(([, value]) => isLabel(value))) });
}
