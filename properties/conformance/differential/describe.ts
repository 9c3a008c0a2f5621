/** A failing case as text: what differs, the set-up, the code, and the command that runs it again. */
import { disassemble } from '../../../engine/index.ts';
import { type Case, csrOf, windowOf } from './case.ts';
import type { Stage } from './page-tables.ts';
import type { Verdict } from './session.ts';

const MAX_DIFFERENCES = 12;
const hex = (value: bigint) => `0x${value.toString(16)}`;

/** Several lines. `command` runs the unshrunk case. */
export function describe(verdict: Verdict, command: string): string {
  const its = verdict.case;
  const shown = verdict.differences.slice(0, MAX_DIFFERENCES);
  const more = verdict.differences.length - shown.length;
  return [
    `our machine and QEMU differ in ${verdict.differences.length} fields, in ${its.mode}-mode:`,
    ...shown.map(({ field, ours, qemu }) => `  ${field}: ours ${hex(ours)}, QEMU ${hex(qemu)}`),
    ...(more > 0 ? [`  and ${more} more`] : []),
    ...traps(verdict),
    ...registers(its),
    ...(['satp', 'vsatp', 'hgatp'] as const).flatMap((name) => stage(name, its[name])),
    '  code:',
    ...code(its),
    `reproduce: ${command}`,
  ].join('\n');
}

function traps({ qemu }: Verdict): string[] {
  if (qemu.kind !== 'done') return [];
  const count = Number(qemu.fields.get('traps') ?? 0n);
  const field = (n: number, name: string) => hex(qemu.fields.get(`trap ${n} ${name}`) ?? 0n);
  return Array.from(
    { length: count },
    (_, n) =>
      `  trap ${n} on QEMU: mcause ${field(n, 'mcause')} mepc ${field(n, 'mepc')} mtval ${field(n, 'mtval')} mtval2 ${field(n, 'mtval2')} mtinst ${field(n, 'mtinst')} mstatus ${field(n, 'mstatus')}`,
  );
}

function registers(its: Case): string[] {
  const csrs = ['mstatus', ...Object.keys(its.csrs).filter((name) => name !== 'mstatus')];
  return [
    `  x: ${its.x.flatMap((value, n) => (value === 0n ? [] : [`x${n}=${hex(value)}`])).join(' ') || 'all zero'}`,
    `  csrs: ${csrs.map((name) => `${name}=${hex(csrOf(its, name))}`).join(' ')}`,
  ];
}

function stage(name: string, its: Stage | undefined): string[] {
  if (!its) return [];
  const flags = [...new Set(its.flags)].map((bits) => `${hex(bits)}: ${pagesWith(its, bits)}`).join('; ');
  const unset = its.unset.flatMap((bits, page) => (bits === 0n ? [] : [`${page}: ${hex(bits)}`])).join(', ');
  const flaws = its.flaws.map((flaw) => `level ${flaw.level} page ${flaw.page} flip ${hex(flaw.flip)}`).join(', ');
  return [
    `  ${name}: mode ${its.mode} window ${hex(its.window)} leaf level ${its.level} flags {${flags}} without {${unset}} flaws [${flaws}]`,
  ];
}

const pagesWith = (its: Stage, bits: bigint) =>
  its.flags.length > 0 && its.flags.filter((f) => f === bits).length > its.flags.length / 2
    ? 'most'
    : its.flags.flatMap((f, page) => (f === bits ? [page] : [])).join(',');

function code(its: Case): string[] {
  const start = windowOf(its, its.mode) + BigInt(its.offset);
  return its.slots.flatMap((slot, n) => {
    const pc = BigInt.asUintN(64, start + BigInt(4 * n));
    const line = (raw: number, at: bigint) =>
      `    ${hex(at)}: ${raw.toString(16).padStart(4, '0')}  ${disassemble(raw, at)}`;
    if ((slot & 3) === 3) return [line(slot >>> 0, pc)];
    return [line(slot & 0xffff, pc), line(slot >>> 16, pc + 2n)];
  });
}
