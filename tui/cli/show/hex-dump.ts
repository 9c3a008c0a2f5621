/** Bytes as people read them: address, hexadecimal, characters. Relies on nothing. */

const PER_LINE = 16;

/**
 * Lines of 16 bytes, from where they lie on; several equal ones in a row are one and a `*`. Addresses wrap at 2^64.
 */
export function hexDump(start: bigint, data: Uint8Array): string[] {
  const lines: string[] = [];
  let before: string | undefined;
  let isCut = false;
  for (let at = 0; at < data.length; at += PER_LINE) {
    const piece = data.subarray(at, at + PER_LINE);
    const content = contentOf(piece);
    const isLast = at + PER_LINE >= data.length;
    if (content === before && !isLast) {
      if (!isCut) lines.push('  *');
      isCut = true;
      continue;
    }
    lines.push(
      `  ${BigInt.asUintN(64, start + BigInt(at))
        .toString(16)
        .padStart(8, '0')}  ${content}`,
    );
    [before, isCut] = [content, false];
  }
  return lines;
}

function contentOf(piece: Uint8Array): string {
  const digits = [...piece].map((byte, n) => `${n === PER_LINE / 2 ? ' ' : ''}${byte.toString(16).padStart(2, '0')}`);
  const text = String.fromCharCode(...piece).replace(/[^\x20-\x7e]/g, '.');
  return `${digits.join(' ').padEnd(3 * PER_LINE)}  |${text}|`;
}
