/**
 * What a code fault turns instructions into: the code at pc, decoded as it is and with the bit flipped, up to where
 * both decodings meet again. A flip of a length bit shifts what follows. Called right before the fault is applied.
 */
import { disassembleAt, type Fault, type Machine, type MachineSymbols, WINDOW_BITS } from '../../../engine/index.ts';

type CodeFault = Extract<Fault, { readonly model: 'code' }>;

/** Instructions of the window, and some behind it for decodings that part at its end. */
const MOST_DECODED = 16;
/** Of either decoding; they meet within a few, or the text ends in an ellipsis. */
const MOST_SHOWN = 6;

/**
 * `instruction ld a5,0(s3) becomes lw a5,0(s3)`, with `, 4 bytes on,` where it is not the one at pc; several of them
 * stand between semicolons. undefined where nothing can be fetched.
 */
export function codeChange(
  machine: Pick<Machine, 'config' | 'readPhysical' | 'hart' | 'translate'>,
  symbols: MachineSymbols | undefined,
  { hart, span, bit }: CodeFault,
  pc: bigint,
): string | undefined {
  const before = disassembleAt(machine, hart, pc, MOST_DECODED, symbols);
  const [first] = before;
  if (!first) return undefined;
  // As engine/faults flips it: modulo the window, or the instruction's length.
  const flipped = bit % (span === 'window' ? WINDOW_BITS : 8 * first.bytes);
  const at = pc + BigInt(flipped >> 3);
  const paddr = machine.translate(hart, at, 'fetch');
  const from = before.findLastIndex(({ address }) => address <= at);
  if (paddr === undefined || from < 0 || at >= before[from]!.address + BigInt(before[from]!.bytes)) return undefined;
  const faulted = {
    config: machine.config,
    hart: (n: number) => machine.hart(n),
    translate: (n: number, va: bigint, access?: 'load' | 'store' | 'fetch') => machine.translate(n, va, access),
    readPhysical: (start: number, length: number) => {
      const bytes = Uint8Array.from(machine.readPhysical(start, length));
      if (paddr >= start && paddr < start + length) bytes[paddr - start]! ^= 1 << (flipped & 7);
      return bytes;
    },
  };
  const after = disassembleAt(faulted, hart, pc, MOST_DECODED, symbols);
  const endOf = (lines: typeof before, n: number) => lines[n]!.address + BigInt(lines[n]!.bytes);
  let [i, j] = [from, from];
  const inside = () => i < before.length && j < after.length && Math.max(i, j) - from < MOST_SHOWN;
  while (inside() && endOf(before, i) !== endOf(after, j)) {
    if (endOf(before, i) < endOf(after, j)) i++;
    else j++;
  }
  const meet = inside();
  const textOf = (lines: typeof before, to: number) => {
    const shown = lines.slice(from, Math.min(to + 1, from + MOST_SHOWN)).map(({ text }) => text);
    return [...shown, ...(meet ? [] : ['…'])].join('; ');
  };
  const distance = before[from]!.address - pc;
  const where = distance === 0n ? '' : `, ${distance} bytes on,`;
  const [noun, verb] = i > from || !meet ? ['instructions', 'become'] : ['instruction', 'becomes'];
  return `${noun} ${textOf(before, i)}${where} ${verb} ${textOf(after, j)}`;
}
