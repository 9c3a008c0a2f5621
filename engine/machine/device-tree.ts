/**
 * The device tree of the board, with the bindings and node names of QEMU virt, so that software written for it finds
 * its devices. Only devices that exist are described. Relies on board.ts for addresses.
 */
import { CONSTANTS } from '../core/layout.ts';
import { PLIC_SOURCES } from '../devices/index.ts';
import { isaString } from '../isa/index.ts';
import { RAM_BASE, slotOf } from './board.ts';
import { type FdtNode, writeFdt } from './fdt.ts';
import { rngSeedCells } from './rng-seed.ts';

export interface DeviceTreeOptions {
  readonly harts: number;
  readonly ramBytes: number;
  readonly bootArgs: string;
  /** For the kernel's random number generator. */
  readonly seed: bigint;
  readonly initrd?: { readonly start: number; readonly end: number };
}

const TIMEBASE_HZ = 10_000_000;
const UART_CLOCK_HZ = 3_686_400;
/** mip bits that the interrupt controllers drive. */
const MSIP = 3;
const MTIP = 7;
const SEIP = 9;
const MEIP = 11;
/** Values of the syscon nodes: what the finisher understands. */
const FINISHER_PASS = 0x5555;
const FINISHER_RESET = 0x7777;

/** The blob given to firmware in a1. */
export function boardDeviceTree(options: DeviceTreeOptions): Uint8Array {
  return writeFdt({
    name: '',
    properties: {
      '#address-cells': [2],
      '#size-cells': [2],
      compatible: 'riscv-virtio',
      model: 'riscv-virtio,qemu',
    },
    children: [
      chosen(options),
      syscon('poweroff', FINISHER_PASS, phandles(options.harts).test),
      syscon('reboot', FINISHER_RESET, phandles(options.harts).test),
      {
        name: `memory@${RAM_BASE.toString(16)}`,
        properties: { device_type: 'memory', reg: [...cells(RAM_BASE), ...cells(options.ramBytes)] },
      },
      cpus(options.harts),
      soc(options.harts),
    ],
  });
}

/** 1 … harts: cpus; then their interrupt controllers; then the PLIC and the finisher. */
function phandles(harts: number) {
  return {
    cpu: (n: number) => 1 + n,
    intc: (n: number) => 1 + harts + n,
    plic: 1 + 2 * harts,
    test: 2 + 2 * harts,
  };
}

function chosen({ bootArgs, initrd, seed }: DeviceTreeOptions): FdtNode {
  const properties: Record<string, string | readonly number[]> = {
    'stdout-path': `/soc/serial@${slotOf('uart').base.toString(16)}`,
    bootargs: bootArgs,
    'rng-seed': rngSeedCells(seed),
  };
  if (initrd) {
    // One cell each, as QEMU writes them: an initrd lies below 4 GiB.
    properties['linux,initrd-start'] = [initrd.start];
    properties['linux,initrd-end'] = [initrd.end];
  }
  return { name: 'chosen', properties };
}

const syscon = (name: string, value: number, regmap: number): FdtNode => ({
  name,
  properties: { value: [value], offset: [0], regmap: [regmap], compatible: `syscon-${name}` },
});

function cpus(harts: number): FdtNode {
  const { cpu, intc } = phandles(harts);
  const numbers = Array.from({ length: harts }, (_, n) => n);
  return {
    name: 'cpus',
    properties: { '#address-cells': [1], '#size-cells': [0], 'timebase-frequency': [TIMEBASE_HZ] },
    children: [
      ...numbers.map((n) => ({
        name: `cpu@${n}`,
        properties: {
          phandle: [cpu(n)],
          device_type: 'cpu',
          reg: [n],
          status: 'okay',
          compatible: 'riscv',
          'riscv,isa': isaString(),
          ...cacheBlocks(),
          'mmu-type': 'riscv,sv39',
        },
        children: [
          {
            name: 'interrupt-controller',
            properties: {
              '#interrupt-cells': [1],
              'interrupt-controller': true as const,
              compatible: 'riscv,cpu-intc',
              phandle: [intc(n)],
            },
          },
        ],
      })),
      {
        name: 'cpu-map',
        properties: {},
        children: [
          {
            name: 'cluster0',
            properties: {},
            children: numbers.map((n) => ({ name: `core${n}`, properties: { cpu: [cpu(n)] } })),
          },
        ],
      },
    ],
  };
}

/** Sizes that Zicbom, Zicbop and Zicboz work on; kernels use these extensions only when they are told. */
const cacheBlocks = (): FdtNode['properties'] =>
  Object.fromEntries(
    ['cbom', 'cbop', 'cboz'].map((kind) => [`riscv,${kind}-block-size`, [CONSTANTS.CACHE_BLOCK_BYTES]]),
  );

function soc(harts: number): FdtNode {
  const { intc, plic, test } = phandles(harts);
  const uart = slotOf('uart');
  const wire = (...bits: number[]) =>
    Array.from({ length: harts }, (_, n) => bits.flatMap((bit) => [intc(n), bit])).flat();
  const node = (name: string, device: string, properties: FdtNode['properties']): FdtNode => {
    const { base, device: its } = slotOf(device);
    return {
      name: `${name}@${base.toString(16)}`,
      properties: { ...properties, reg: [...cells(base), ...cells(its.sizeBytes)] },
    };
  };
  return {
    name: 'soc',
    properties: { '#address-cells': [2], '#size-cells': [2], compatible: 'simple-bus', ranges: true },
    children: [
      node('test', 'finisher', { phandle: [test], compatible: ['sifive,test1', 'sifive,test0', 'syscon'] }),
      node('clint', 'aclint', {
        compatible: ['sifive,clint0', 'riscv,clint0'],
        'interrupts-extended': wire(MSIP, MTIP),
      }),
      node('plic', 'plic', {
        phandle: [plic],
        compatible: ['sifive,plic-1.0.0', 'riscv,plic0'],
        '#address-cells': [0],
        '#interrupt-cells': [1],
        'interrupt-controller': true,
        'interrupts-extended': wire(MEIP, SEIP),
        'riscv,ndev': [PLIC_SOURCES],
      }),
      node('serial', 'uart', {
        compatible: 'ns16550a',
        'clock-frequency': [UART_CLOCK_HZ],
        'interrupt-parent': [plic],
        interrupts: [uart.irq],
      }),
    ],
  };
}

/** A 64-bit quantity as two cells; at most 2^53. */
const cells = (value: number): [number, number] => [Math.floor(value / 0x100000000), value >>> 0];
