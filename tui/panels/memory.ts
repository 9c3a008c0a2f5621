/**
 * Memory as lines of bytes in hexadecimal and as text, with symbols where they begin. The place is an expression,
 * looked up anew at every moment. Relies on replay's language for where it lies.
 */
import { UserError } from '../../engine/index.ts';
import { addressOf, locate, type MemoryPlace, parseExpression } from '../../replay/index.ts';
import { hex } from '../base/index.ts';
import { span } from './text.ts';
import type { Line, Session } from './types.ts';

/** What the panel shows of a place and what lies behind it. */
const SHOWN_BYTES = 1024;
/** Address, two blanks around the bytes, and a blank before the text. */
const BESIDES = 10 + 3;

/** The panel's lines; one that says why, where there is no such memory now. */
export function memoryLines(session: Session, columns: number): Line[] {
  const { memory = '' } = session.state;
  const { machine, symbols } = session.debug.run;
  try {
    const node = parseExpression(memory);
    // `[spa:0x80215020]:8` is shown where it lies, `hart0.sp` where it points.
    const at = addressOf(node.kind === 'memory' ? node.address : node, { machine, symbols });
    const place = locate(machine, at, SHOWN_BYTES);
    return linesOf(session, place, [16, 8].find((bytes) => BESIDES + 4 * bytes <= columns) ?? 4);
  } catch (error) {
    if (error instanceof UserError) return [[span(error.message, 'error')]];
    throw error;
  }
}

function linesOf(session: Session, place: MemoryPlace, perLine: number): Line[] {
  const { machine, symbols } = session.debug.run;
  const lines: Line[] = [];
  let done = 0;
  let before: string | undefined;
  for (const { paddr, bytes } of place.ranges) {
    const all = machine.readPhysical(paddr, bytes);
    for (let offset = 0; offset < bytes; offset += perLine) {
      const part = all.subarray(offset, offset + perLine);
      const symbol = symbols.describePhysical(paddr + offset);
      const name = symbol?.replace(/\+0x[0-9a-f]+$/, '');
      lines.push([
        span(
          `${BigInt.asUintN(64, place.address + BigInt(done + offset))
            .toString(16)
            .padStart(8)}  `,
          'dim',
        ),
        span(
          Array.from(part, (byte) => byte.toString(16).padStart(2, '0'))
            .join(' ')
            .padEnd(3 * perLine),
        ),
        span(
          Array.from(part, printable)
            .join('')
            .padEnd(perLine + 1),
          'dim',
        ),
        span(name === before ? '' : (symbol ?? ''), 'symbol'),
      ]);
      before = name;
    }
    done += bytes;
  }
  if (place.missing !== undefined) lines.push([span(place.missing, 'error')]);
  return lines.length > 0 ? lines : [[span(`nothing at ${hex(place.address)}`, 'error')]];
}

const printable = (byte: number): string => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.');
