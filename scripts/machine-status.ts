/**
 * The text of docs/machine.md: every extension, CSR and device with its status, from the tables that the machine is
 * built from, and CSRs by asking the machine. docs.ts writes it. Relies on `npm run build`. What a register's bits do
 * is not tested here, only which of them can change.
 */
import { Bed } from '../engine/core/testbed.ts';
import { type BitField, CSRS, type Csr } from '../engine/isa/csrs/index.ts';
import { COMPRESSED, type Extension, extensionsInOrder, INSTRUCTIONS, isaString } from '../engine/isa/index.ts';
import { BOARD, RAM_BASE, type Slot, VIRTIO_MODELS } from '../engine/machine/board/board.ts';
import { boardTree } from '../engine/machine/board/device-tree.ts';
import { MAX_HARTS, MAX_RAM_BYTES } from '../engine/machine/config.ts';

const ALL = 2n ** 64n - 1n;
/** What decides over bits of other registers. */
const OPENED = ['mideleg', 'hideleg', 'menvcfg', 'mstateen0'];

/** Text of docs/machine.md. */
export function machineStatus(): string {
  const { present, absent } = probeCsrs();
  return [
    '# The machine',
    '',
    'Written by `npm run docs` from the tables that the machine is built from; a test compares it. What the manual leaves',
    'open is in [choices.md](choices.md).',
    '',
    '## Extensions',
    '',
    `\`riscv,isa\` of the device tree: \`${isaString()}\``,
    '',
    ...table(['extension', 'brings', 'as', 'status'], extensionsInOrder().map(extensionRow)),
    '',
    '## Control and status registers',
    '',
    'Seen from M-mode on hart 0. The bits that software can change were found by trying each alone and all together, with',
    `${OPENED.map((name) => `\`${name}\``).join(', ')} all ones. Other bits read as at reset, unless hardware sets them.`,
    '',
    ...table(
      ['number', 'name', 'lowest mode', 'at reset', 'software can change', 'fields'],
      collapse(present).map(csrRow),
    ),
    '',
    `Named by the manual, not here (illegal instruction): ${collapse(absent)
      .map((run) => `\`${run.name}\``)
      .join(', ')}.`,
    '',
    '## Board',
    '',
    `QEMU's \`virt\`: 1 to ${MAX_HARTS} harts; RAM at ${hex(BigInt(RAM_BASE))}, at most ${MAX_RAM_BYTES / 2 ** 20} MiB; boot ROM at 0x1000.`,
    '',
    ...table(['address', 'device', 'compatible', 'bytes', 'interrupt', 'access sizes', 'own record'], deviceRows()),
    '',
    'A virtio slot (virtio-mmio version 2) takes one of:',
    '',
    ...table(['device', 'virtio device id', 'queues', 'bytes of configuration'], virtioRows()),
    '',
  ].join('\n');
}

const hex = (value: bigint) => `0x${value.toString(16)}`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string[] =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);

function extensionRow({ name, brings, as, note, misaOnly, unlisted }: Extension): string[] {
  const count = [...INSTRUCTIONS, ...COMPRESSED].filter((row) => row.extension.toLowerCase() === name).length;
  const form = as === 'instructions' ? `${count} ${count === 1 ? 'instruction' : 'instructions'}` : as;
  const remarks = ['complete', ...(note ? [note] : []), ...(misaOnly ? ['in misa, not in the ISA string'] : [])];
  if (unlisted) remarks.push('not in the ISA string');
  return [name.length === 1 ? name.toUpperCase() : capitalised(name), brings, form, remarks.join('; ')];
}

const capitalised = (name: string) => name.charAt(0).toUpperCase() + name.slice(1);

interface Run {
  readonly name: string;
  readonly first: Csr;
  readonly last: Csr;
  readonly reset: bigint;
  readonly changes: bigint;
}

/** Which CSRs M-mode can read, what they hold at reset, and which of their bits a write can change. */
function probeCsrs(): { present: Run[]; absent: Run[] } {
  const asleep = new Bed();
  const awake = new Bed();
  awake.setCsr('mstatus', ALL);
  const exists = (csr: Csr) => awake.execute(`csrr a0, ${csr.number}`, 'M') === undefined;
  const present = CSRS.filter(exists);
  const run = (csr: Csr, reset: bigint, changes: bigint) => ({ name: csr.name, first: csr, last: csr, reset, changes });
  return {
    present: present.map((csr) => run(csr, asleep.csr(csr.name), changeable(csr))),
    absent: CSRS.filter((csr) => !present.includes(csr)).map((csr) => run(csr, 0n, 0n)),
  };
}

/** Bits that differ after a write of each bit's opposite, or of all ones. */
function changeable(csr: Csr): bigint {
  if (csr.readOnly) return 0n;
  const bed = openedBed(csr);
  const before = bed.csr(csr.name);
  let changes = 0n;
  for (let bit = 0n; bit < 64n; bit++) {
    bed.setCsr(csr.name, before ^ (1n << bit));
    changes |= (bed.csr(csr.name) ^ before) & (1n << bit);
    bed.setCsr(csr.name, before);
  }
  // Another machine: the bits tried may have locked something.
  const fresh = openedBed(csr);
  fresh.setCsr(csr.name, ALL);
  return changes | (fresh.csr(csr.name) ^ before);
}

function openedBed(csr: Csr): Bed {
  const bed = new Bed({ ramBytes: 1 << 16 });
  for (const name of OPENED) if (name !== csr.name) bed.setCsr(name, ALL);
  return bed;
}

/** `pmpaddr0`, `pmpaddr1` … become one row while all is equal. */
function collapse(runs: readonly Run[]): Run[] {
  const rows: Run[] = [];
  for (const next of runs) {
    const before = rows.at(-1);
    const stem = next.name.replace(/\d+$/, '');
    const follows =
      before &&
      stem !== next.name &&
      before.last.name === `${stem}${Number(next.name.slice(stem.length)) - 1}` &&
      before.last.number + 1 === next.first.number &&
      before.reset === next.reset &&
      before.changes === next.changes;
    if (follows) rows[rows.length - 1] = { ...before, last: next.last, name: `${before.first.name} … ${next.name}` };
    else rows.push(next);
  }
  return rows;
}

function csrRow({ name, first, last, reset, changes }: Run): string[] {
  const numbers =
    first === last ? hex(BigInt(first.number)) : `${hex(BigInt(first.number))} … ${hex(BigInt(last.number))}`;
  const what = first.readOnly
    ? 'read-only'
    : changes === 0n
      ? 'hardwired'
      : changes === ALL
        ? 'all bits'
        : hex(changes);
  const lowest = first.privilege === 'H' ? 'HS' : first.privilege;
  const fields = first.implementation?.fields.map(fieldText).join(', ') ?? '';
  return [numbers, `\`${name}\``, lowest, hex(reset), what, fields];
}

const fieldText = ({ name, shift, width }: BitField) => `${name} ${width > 1 ? `${shift + width - 1}:` : ''}${shift}`;

/** Devices by address, with the device tree's word for what they are compatible with. Virtio slots share a row. */
function deviceRows(): string[][] {
  const tree = boardTree({ harts: 1, ramBytes: 2 ** 27, bootArgs: '', seed: 0n });
  const soc = tree.children?.find((node) => node.name === 'soc');
  const slots = BOARD.filter(({ device }) => /^virtio\d/.test(device.name));
  // What has no registers is nothing that software can find.
  const shown = BOARD.filter(({ device }) => device.sizeBytes > 0);
  return shown
    .filter((slot) => !slots.includes(slot) || slot === slots[0])
    .map((slot) => {
      const { device, base } = slot;
      const node = soc?.children?.find((child) => child.name.endsWith(`@${base.toString(16)}`));
      const compatible = [node?.properties.compatible ?? []].flat().map((name) => `\`${name}\``);
      const last = slot === slots[0] ? (slots.at(-1) ?? slot) : slot;
      const span = (show: (of: Slot) => string) => (last === slot ? show(slot) : `${show(slot)} … ${show(last)}`);
      return [
        span((of) => hex(BigInt(of.base))),
        span((of) => of.device.name),
        compatible.join(', '),
        hex(BigInt(device.sizeBytes)),
        span((of) => (of.irq === 0 ? 'none' : String(of.irq))),
        device.accessSizes.join(', '),
        device.record.fields.length === 0 ? 'none' : `${device.record.savedBytes} bytes`,
      ];
    });
}

const virtioRows = (): string[][] =>
  Object.entries(VIRTIO_MODELS).map(([kind, { deviceId, queues, configBytes }]) => [
    kind,
    String(deviceId),
    String(queues),
    String(configBytes),
  ]);
