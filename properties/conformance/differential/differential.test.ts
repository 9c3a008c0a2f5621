import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assemble, decode } from '../../../engine/index.ts';
import { cases } from './arbitrary.ts';
import { type Case, encodeBatch } from './case.ts';
import { executable } from './elf.ts';
import { harnessSource } from './harness.ts';
import { isExcluded } from './known.ts';
import { HARNESS_AT, RESULTS_AT, type RecordShape, resultWords } from './layout.ts';
import { ours } from './machines.ts';
import { decodeResult, differences, type Result } from './results.ts';

const shape: RecordShape = {
  setup: ['medeleg', 'pmpaddr15', 'pmpcfg2', 'sscratch', 'mie', 'mepc', 'mstatus'],
  recorded: ['mcause', 'sscratch'],
  floats: false,
};
const harness = assemble(harnessSource(shape), HARNESS_AT).bytes;
const wordOf = (line: string) => new DataView(assemble(line, 0).bytes.buffer).getUint32(0, true);

const plain: Case = {
  mode: 'HS',
  slots: [],
  offset: 0x100,
  x: [],
  f: [],
  csrs: {},
  satp: undefined,
  vsatp: undefined,
  hgatp: undefined,
  data: [],
};

function runOurs(batch: readonly Case[]): Result[] {
  const run = ours.run(executable(encodeBatch(harness, batch, shape, ours.timeBudget)));
  expect(run.ended).toBe(true);
  const { size } = resultWords(shape);
  return batch.map((_, n) =>
    decodeResult(new BigUint64Array(run.read(RESULTS_AT + n * size * 8, size * 8).slice().buffer), shape),
  );
}
const fieldsOf = (result: Result | undefined) => (result?.kind === 'done' ? result.fields : new Map<string, bigint>());

describe('the harness', () => {
  it('runs a case in its mode, logs its traps, skips what trapped, and records what is left', () => {
    const slots = ['addi x5, x5, 3', 'csrr x6, mhartid', 'addi x5, x5, 4', 'ecall', 'add x7, x5, x5'].map(wordOf);
    const fields = fieldsOf(runOurs([{ ...plain, slots, x: [0n, 0n, 0n, 0n, 0n, 10n] }])[0]);
    expect(fields.get('x5')).toBe(17n);
    expect(fields.get('x7')).toBe(34n);
    // The CSR that is not for HS-mode, the ecall, the ebreak behind the last slot.
    expect([0, 1, 2].map((n) => fields.get(`trap ${n} mcause`))).toEqual([2n, 9n, 3n]);
    expect(fields.get('traps')).toBe(3n);
  });

  it('gives every case a fresh arena and fresh CSRs', () => {
    const slots = [wordOf('sd x5, 0(x8)'), wordOf('csrw sscratch, x5')];
    const first: Case = { ...plain, slots, x: plainX({ 5: 77n, 8: 0x8080_2000n }) };
    const alone = fieldsOf(runOurs([plain])[0]);
    const [left, after] = runOurs([first, plain]).map(fieldsOf);
    expect(left?.get('page 2')).not.toBe(alone.get('page 2'));
    expect(after?.get('page 2')).toBe(alone.get('page 2'));
  });

  it('comes back from a case that never ends', () => {
    const [stuck, next] = runOurs([
      { ...plain, slots: [wordOf('j .')] },
      { ...plain, slots: [wordOf('addi x5, x0, 1')] },
    ]);
    expect(stuck?.kind).toBe('endless');
    expect(fieldsOf(next).get('x5')).toBe(1n);
  });
});

const plainX = (values: Record<number, bigint>) => Array.from({ length: 32 }, (_, n) => values[n] ?? 0n);

describe('the comparison', () => {
  const done = (fields: Record<string, bigint>): Result => ({ kind: 'done', fields: new Map(Object.entries(fields)) });

  it('finds a planted difference', () => {
    expect(differences(done({ x5: 1n, x6: 2n }), done({ x5: 1n, x6: 3n }))).toEqual([
      { field: 'x6', ours: 2n, qemu: 3n },
    ]);
    expect(differences({ kind: 'endless', fields: new Map() }, done({ x5: 1n }))).toHaveLength(1);
  });

  it('lets a known difference pass, and nothing beside it', () => {
    const hgatp = 8n << 60n;
    const ours = { mcause: 20n, mtinst: 0x3000n, hgatp };
    expect(differences(done(ours), done({ mcause: 21n, mtinst: 0x3000n, hgatp }))).toEqual([]);
    expect(differences(done(ours), done({ mcause: 21n, mtinst: 0n, hgatp }))).not.toEqual([]);
    expect(differences(done(ours), done({ mcause: 13n, mtinst: 0x3000n, hgatp }))).not.toEqual([]);
  });
});

describe('the generator', () => {
  it('draws floating point that is on, PMP regions, leaves without A or D, and LR and SC of one width', () => {
    const drawn = fc.sample(cases({ satpModes: [8], hgatpModes: [8] }), { seed: 5, numRuns: 200 });
    const share = (holds: (its: Case) => boolean) => drawn.filter(holds).length / drawn.length;
    expect(share((its) => ((its.csrs.mstatus ?? 0n) & 0x6000n) !== 0n)).toBeGreaterThan(0.8);
    expect(share((its) => its.csrs.pmpcfg0 !== undefined)).toBeGreaterThan(0.05);
    const lacking = (its: Case) =>
      [its.satp, its.vsatp, its.hgatp].some((stage) => stage?.unset.some((bits) => bits > 0n));
    expect(share(lacking)).toBeGreaterThan(0.2);
    expect(drawn.filter((its) => lacking(its) && its.csrs.pmpcfg0 !== undefined)).toEqual([]);
    const widths = (its: Case) =>
      new Set(its.slots.map((slot) => /^(?:lr|sc)\.(.)/.exec(decode(slot)?.instruction.name ?? '')?.[1]));
    expect(drawn.some((its) => widths(its).has('w')) && drawn.some((its) => widths(its).has('d'))).toBe(true);
    expect(drawn.filter((its) => widths(its).has('w') && widths(its).has('d'))).toEqual([]);
  });

  it('draws every mode and stage, and nothing that the table of known differences excludes', () => {
    const drawn = fc.sample(cases({ satpModes: [8], hgatpModes: [8] }), { seed: 3, numRuns: 150 });
    expect(new Set(drawn.map((its) => its.mode)).size).toBe(5);
    expect(drawn.some((its) => its.vsatp && its.hgatp)).toBe(true);
    const slots = drawn.flatMap((its) => its.slots.map((slot) => ({ slot, mode: its.mode })));
    expect(slots.filter(({ slot, mode }) => isExcluded(slot, mode))).toEqual([]);
    const names = new Set(slots.map(({ slot }) => decode(slot)?.instruction.name));
    expect(names.size).toBeGreaterThan(90);
    expect(names.has(undefined)).toBe(true);
  });
});
