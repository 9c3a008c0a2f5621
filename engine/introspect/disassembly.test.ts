import { describe, expect, it } from 'vitest';
import { assemble } from '../isa/index.ts';
import { disassembleAt, instructionAt } from './disassembly.ts';
import { joinSymbols } from './places.ts';
import { createSymbolTable } from './symbols.ts';
import { FakeMachine, RAM } from './testing.ts';

const symbols = joinSymbols(
  createSymbolTable('firmware', []),
  createSymbolTable('lazarus', [
    { name: 'trap', address: BigInt(RAM) + 0xffen, size: 0x20n, type: 'function', absolute: false },
  ]),
  undefined,
);

/** Code from the last half-word of the first page on: its first instruction crosses into the second one. */
function machineWith(source: string[]): FakeMachine {
  const machine = new FakeMachine(0x2000);
  machine.bytes.set(assemble(source, BigInt(RAM) + 0xffen).bytes, 0xffe);
  return machine;
}

describe('disassembleAt', () => {
  it('lists instructions of both lengths with their symbols, across a page', () => {
    const machine = machineWith(['addi a0, a0, 291', '.half 1', 'sd a0, 8(sp)']);
    const lines = disassembleAt(machine, 0, BigInt(RAM) + 0xffen, 3, symbols);
    expect(lines.map(({ address, bytes, symbol }) => [address - BigInt(RAM), bytes, symbol])).toEqual([
      [0xffen, 4, 'trap'],
      [0x1002n, 2, 'trap+0x4'],
      [0x1004n, 4, 'trap+0x6'],
    ]);
    expect(lines.map(({ text }) => text)).toEqual(['addi a0,a0,291', 'nop', 'sd a0,8(sp)']);
    expect(lines[0]!.raw).toBe(0x12350513);
  });

  it('ends where nothing is mapped', () => {
    const machine = machineWith(['.half 1']);
    expect(disassembleAt(machine, 0, BigInt(RAM) + 0x1ffen, 8, symbols)).toHaveLength(1);
    expect(disassembleAt(machine, 0, 0n, 8, symbols)).toEqual([]);
    expect(instructionAt(machine, 0, 1n << 60n)).toBe('(not mapped)');
  });
});
