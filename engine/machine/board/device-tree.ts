/**
 * The device tree of the board, with the bindings and node names of QEMU virt, so that software written for it finds
 * its devices. Only devices that exist are described; all virtio slots do, taken or not. Completes a user's own tree as
 * QEMU does: command line and initrd. Relies on board.ts for addresses.
 */
import { CONSTANTS } from '../../core/index.ts';
import { PLIC_SOURCES } from '../../devices/index.ts';
import { isaString } from '../../isa/index.ts';
import { VIRTIO_SLOTS } from '../config.ts';
import { RAM_BASE, slotOf, VIRTIO_STRIDE } from './board.ts';
import { type FdtNode, type FdtValue, writeFdt } from './fdt.ts';
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
export const boardDeviceTree = (options: DeviceTreeOptions): Uint8Array => writeFdt(boardTree(options));

/** The same as data. */
export function boardTree(options: DeviceTreeOptions): FdtNode {
  return {
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
  };
}

/** A user's tree with the command line and the initrd of this run. */
export function completeTree(tree: FdtNode, options: Pick<DeviceTreeOptions, 'bootArgs' | 'initrd'>): Uint8Array {
  const added: Record<string, FdtValue> = { ...initrdProperties(options.initrd) };
  if (options.bootArgs !== '') added.bootargs = options.bootArgs;
  const children = tree.children ?? [];
  const at = children.findIndex(({ name }) => name === 'chosen');
  const before = children[at] ?? { name: 'chosen', properties: {} };
  const completed = { ...before, properties: { ...before.properties, ...added } };
  const others = children.filter((_, n) => n !== at);
  return writeFdt({ ...tree, children: Object.keys(added).length === 0 ? children : [completed, ...others] });
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
  const properties = {
    'stdout-path': `/soc/serial@${slotOf('uart').base.toString(16)}`,
    bootargs: bootArgs,
    'rng-seed': rngSeedCells(seed),
    ...initrdProperties(initrd),
  };
  return { name: 'chosen', properties };
}

/** One cell each, as QEMU writes them: an initrd lies below 4 GiB. */
const initrdProperties = (initrd: DeviceTreeOptions['initrd']): Record<string, FdtValue> =>
  initrd ? { 'linux,initrd-start': [initrd.start], 'linux,initrd-end': [initrd.end] } : {};

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
          'mmu-type': 'riscv,sv48',
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
  const interrupt = (irq: number) => ({ 'interrupt-parent': [plic], interrupts: [irq] });
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
        ...interrupt(slotOf('uart').irq),
      }),
      node('rtc', 'rtc', { compatible: 'google,goldfish-rtc', ...interrupt(slotOf('rtc').irq) }),
      // From the last one down: software that numbers disks as it meets them then follows the order of the command
      // line.
      ...Array.from({ length: VIRTIO_SLOTS }, (_, n) => {
        const { base, irq } = slotOf(`virtio${VIRTIO_SLOTS - 1 - n}`);
        return {
          name: `virtio_mmio@${base.toString(16)}`,
          properties: {
            compatible: 'virtio,mmio',
            reg: [...cells(base), ...cells(VIRTIO_STRIDE)],
            ...interrupt(irq),
          },
        };
      }),
    ],
  };
}

/** A 64-bit quantity as two cells; at most 2^53. */
const cells = (value: number): [number, number] => [Math.floor(value / 0x100000000), value >>> 0];
