/** A kernel of the higher half: loaded in RAM, linked for addresses that it turns translation on to reach. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assemble } from '../isa/index.ts';
import { createMachine } from '../machine/machine.ts';
import { testElf } from '../machine/testing.ts';
import type { MachineConfig } from '../machine/types.ts';
import { IMAGES_FOLDER } from '../subject/images/recipes.ts';
import { committedFile } from '../subject/index.ts';
import { disassembleAt } from './disassembly.ts';
import { readDebugInfo } from './dwarf/index.ts';
import { readMachineSymbols } from './images.ts';
import { createSymbolTable, type TableOptions } from './symbols.ts';

const LOADED = 0x80200000;
/** VA - PA of everything in it. */
const APART = 0xffffffff00000000n;
/** Sv39: the last gigabyte but one of virtual memory is RAM, and so is RAM itself. */
const KERNEL = assemble(
  `
  start:
    la t0, table
    li t1, 0x200000cf
    sd t1, 16(t0)
    li t2, 4080
    add t2, t2, t0
    sd t1, 0(t2)
    srli t0, t0, 12
    li t1, 0x8000000000000000
    or t0, t0, t1
    csrw satp, t0
    la t0, high
    li t1, ${APART}
    add t0, t0, t1
    jr t0
  high:
    addi s0, s0, 1
    call work
    j high
  work:
    la t0, value
    ld t1, 0(t0)
    addi t1, t1, 1
    sd t1, 0(t0)
    ret
    .balign 8
  value:
    .dword 0
    .balign 4096
  table:
    .zero 4096
  `,
  BigInt(LOADED) + APART,
);
const NAMES = ['start', 'high', 'work', 'value', 'table'];
const at = (name: string) => KERNEL.symbols.get(name)!;
const config: MachineConfig = {
  harts: 1,
  ramBytes: 8 << 20,
  quantum: { policy: 'fixed', ticks: 100, seed: 0n },
  append: '',
  bios: { name: 'firmware.elf', bytes: new Uint8Array(readFileSync(`${IMAGES_FOLDER}firmware.elf`)) },
  kernel: {
    name: 'high.elf',
    bytes: testElf({
      entry: at('start'),
      segments: [{ paddr: LOADED, vaddr: at('start'), bytes: KERNEL.bytes }],
      symbols: NAMES.map((name) => ({ name, value: at(name) })),
    }),
  },
};

describe('a kernel of the higher half', () => {
  it('runs, and its symbols are found before and after it has turned translation on', () => {
    const machine = createMachine(config);
    const symbols = readMachineSymbols(config);
    const seen = new Map<string, bigint>();
    machine.run({ moment: 10_000 });
    for (let n = 0; n < 20_000 && seen.size < 3; n++) {
      machine.step();
      const { mode, pc } = machine.hart(0);
      const name = symbols.describe(mode, pc);
      if (mode === 'HS' && name !== undefined && NAMES.includes(name) && !seen.has(name)) seen.set(name, pc);
    }
    expect([...seen]).toEqual([
      ['start', BigInt(LOADED)],
      ['high', at('high')],
      ['work', at('work')],
    ]);
    const [first] = disassembleAt(machine, 0, at('work'), 1, symbols);
    expect(first).toMatchObject({ symbol: 'work', text: expect.stringContaining('auipc') });
    machine.run({ moment: machine.moment + 1000 });
    const value = Number(symbols.hypervisor!.loadAddress('value'));
    expect(value).toBe(Number(at('value') - APART));
    expect(symbols.describePhysical(value)).toBe('high value');
    expect(new DataView(machine.readPhysical(value, 8).buffer).getBigUint64(0, true)).toBeGreaterThan(50n);
    const again = createMachine(config);
    while (again.moment < machine.moment) again.run({ moment: Math.min(again.moment + 997, machine.moment) });
    expect(again.digest()).toBe(machine.digest());
  });
});

describe('a symbol table of what is loaded elsewhere', () => {
  const symbol = (name: string, address: bigint, size = 8n, absolute = false) =>
    ({ name, address, size, type: 'function', absolute }) as const;
  const moved = [{ vaddr: 0xf000_0000n, paddr: 0x8020_0000n, bytes: 0x1000n }];
  const table = createSymbolTable(
    'high',
    [
      symbol('a', 0xf000_0010n),
      symbol('end', 0xf000_1000n, 0n),
      symbol('low', 0x8020_0010n, 4n),
      symbol('k', 5n, 0n, true),
    ],
    { moved },
  );

  it('finds names by either address, the linked one first', () => {
    expect(table.describe(0xf000_0012n)).toBe('a+0x2');
    expect(table.describe(0x8020_0010n)).toBe('low');
    expect(table.describe(0x8020_0015n)).toBe('a+0x5');
    expect(table.describe(0x8020_1000n)).toBe('end');
    expect(table.describe(0x8020_1001n)).toBeUndefined();
  });

  it('finds source lines by either address, and of what was relocated as a whole', () => {
    const debug = readDebugInfo(committedFile('lazarus.debug')!)!;
    const linked = 0x8020_0300n;
    const line = debug.lineAt(linked)!;
    const at = (address: bigint, options: TableOptions) => {
      const found = createSymbolTable('x', [symbol('f', linked)], { ...options, debug: () => debug }).debugAt(address);
      return found?.debug.lineAt(found.address);
    };
    const apart = { vaddr: 0x8020_0000n, paddr: 0x9000_0000n, bytes: 0x1000n };
    expect([at(linked, { moved: [apart] }), at(0x9000_0300n, { moved: [apart] })]).toEqual([line, line]);
    expect(at(0x9000_1300n, { moved: [apart] })).toBeUndefined();
    expect([at(linked + 0x1_0000_0000n, { shift: 0x1_0000_0000n }), at(linked, {})]).toEqual([line, line]);
    expect(at(linked, { shift: 0x1_0000_0000n })).toBeUndefined();
    const shifted = createSymbolTable('x', [symbol('f', linked), symbol('k', 5n, 0n, true)], { shift: 0x1000n });
    expect([shifted.describe(linked + 0x1000n), shifted.describe(linked), shifted.value('k')]).toEqual([
      'f',
      undefined,
      5n,
    ]);
  });

  it('says where they were loaded', () => {
    expect(['a', 'end', 'low', 'k', 'none'].map((name) => table.loadAddress(name))).toEqual([
      ...[0x8020_0010n, 0x8020_1000n, 0x8020_0010n, 5n, undefined],
    ]);
  });
});
