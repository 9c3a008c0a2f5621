/** SBI SRST: a kernel that resets the machine meets the firmware again as after power-on. */
import { describe, expect, it } from 'vitest';
import { createMachine } from '../../machine/machine.ts';
import { EXTENSION, kernelConfig, LIMIT, runTwice } from './testing.ts';

describe('a reset', () => {
  /** Where the kernel counts its starts. */
  const STARTS = 0x80500000;
  const resetting = (type: number) => `
    li s0, ${STARTS}
    ld t0, 0(s0)
    addi t0, t0, 1
    sd t0, 0(s0)
    mv a0, zero
    li a7, ${EXTENSION.srst}
    li a6, 0
    li a1, 0
    li t1, 3
    beq t0, t1, down
    li a0, ${type}
  down:
    ecall
    j .
  `;

  it.each([1, 2])('of type %i starts everything over, the firmware included, until the kernel shuts down', (type) => {
    const { machine, console } = runTwice(kernelConfig(resetting(type), { reboots: true }));
    expect(Number(machine.readPhysical(STARTS, 1)[0])).toBe(3);
    const [banner = ''] = console.split(/(?<=\n)/);
    expect(banner).toMatch(/^firmware: /);
    expect(console).toBe(banner.repeat(3));
  });

  it.each([1, 2])('of type %i ends the run of a machine that does not reboot', (type) => {
    const machine = createMachine(kernelConfig(resetting(type)));
    expect(machine.run({ moment: LIMIT })).toEqual({ kind: 'halted', status: 'reset', code: 0 });
  });
});
