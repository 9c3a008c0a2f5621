/**
 * Set-ups whose first VM is somebody else's software, given by path: `linux@Image,initrd=initramfs.cpio`,
 * `uboot@u-boot.bin`. The guest runs unchanged on the board that Lazarus gives it (engine/subject/lazarus, "An
 * unmodified guest"); a VM of ours computes beside it on a hart of its own. The guest must shut the machine down in
 * the end: U-Boot is typed a script that does, of Linux's initial ramdisk it is expected. Relies on files as they are
 * when a name is resolved; results belong to their hashes.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type Image, makeBundle, UserError, visible } from '../../../engine/index.ts';
import type { TimedInput } from '../../../replay/index.ts';
import { MIB, MS, machineOf, ownImage } from './machine.ts';
import type { Setup, VmCriterion } from './types.ts';

/** Longest name, and the largest file that one names. */
const MAX_NAME = 1000;
const MAX_FILE_BYTES = 128 * MIB;
const FORM = 'KIND@FILE[,initrd=FILE][,append=TEXT] with KIND linux or uboot';
/** What the names of these set-ups begin with, and an example of a rest. */
export const UNMODIFIED_FORMS: readonly string[] = ['linux@FILE', 'uboot@FILE'];

/** What the name of such a set-up says. */
interface GuestName {
  readonly kind: 'linux' | 'uboot';
  readonly file: string;
  readonly initrd?: string;
  readonly append?: string;
}

/** Whether a name is one of these set-ups', right or wrong. */
export const isUnmodified = (name: string): boolean => /^(linux|uboot)@/.test(name);

/** @throws UserError saying what such a name looks like */
function parseName(name: string): GuestName {
  const wrong = (why: string) => new UserError(`set-up '${visible(name.slice(0, 100))}': ${why}: expected ${FORM}`);
  if (name.length > MAX_NAME) throw wrong(`its name has more than ${MAX_NAME} characters`);
  // Names are printed in tables and commands, one line each.
  if (/\p{Cc}/u.test(name)) throw wrong('its name has control characters');
  const [, kind, rest] = /^(linux|uboot)@(.*)$/.exec(name)!;
  const [file = '', ...options] = rest!.split(',');
  if (file === '') throw wrong('no file is named');
  const found: { initrd?: string; append?: string } = {};
  for (const option of options) {
    const [, key, value] = /^(initrd|append)=(.+)$/.exec(option) ?? [];
    if (key === undefined || value === undefined) throw wrong(`',${option}' is no option of it`);
    if (found[key as 'initrd' | 'append'] !== undefined) throw wrong(`${key}= is there twice`);
    found[key as 'initrd' | 'append'] = value;
  }
  if (kind === 'uboot' && found.initrd !== undefined) throw wrong('U-Boot has no initial ramdisk');
  return { kind: kind as GuestName['kind'], file, ...found };
}

/** The content of a file, named by its path. @throws UserError naming path and reason */
function fileAt(path: string, what: string): Image {
  const fail = (why: string) => new UserError(`${path}: ${why}: expected ${what}`);
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const status = fstatSync(file);
    if (!status.isFile()) throw fail('is no regular file');
    if (status.size === 0) throw fail('is empty');
    if (status.size > MAX_FILE_BYTES) throw fail(`is larger than ${MAX_FILE_BYTES / MIB} MiB`);
    const bytes = new Uint8Array(status.size);
    let read = 0;
    for (let more = 1; more > 0 && read < bytes.length; read += more) {
      more = readSync(file, bytes, read, bytes.length - read, null);
    }
    if (read < bytes.length) throw fail('became shorter while it was read');
    return { name: path, bytes };
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw fail((error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Documentation/arch/riscv/boot-image-header.rst: "RSC\5" at 56. */
const isLinuxImage = ({ bytes }: Image): boolean =>
  bytes.length >= 64 && Buffer.from(bytes.subarray(56, 60)).toString('latin1') === 'RSC\x05';

/** How each kind is run. */
interface Kind {
  readonly summary: string;
  readonly ramMib: number;
  readonly append: string;
  /** Steps of `compute` beside it, of about a millisecond each. */
  readonly steps: number;
  readonly typed: string;
  readonly graceTicks: number;
  readonly scale: number;
}

/**
 * Work for U-Boot's shell: patterns over memory, their checksums, a comparison, some arithmetic. The first carriage
 * return stops the countdown before it boots. Each line is shorter than its shell takes (255 characters), and all
 * together are less than Lazarus keeps of what is typed ahead (1 KiB). Commands that look for Ctrl-C throw away what
 * is typed ahead, so that the last line does all the work.
 */
const UBOOT_SCRIPT = [
  '',
  'setenv a 0x81000000; setenv b 0x82000000; setenv x 1',
  "setenv fill 'setexpr x $x * 0x19660d; setexpr x $x + 0x3c6ef35f; mw.q $a $x 0x400; mw.q $b $x 0x400'",
  "setenv look 'crc32 $b 0x2000; cmp.q $a $b 0x400; echo round $i $j $x'",
  'for i in 1 2 3 4 5 6; do for j in 1 2 3 4 5 6 7 8; do run fill look; done; done; md.l $b 8; poweroff',
]
  .map((line) => `${line}\r`)
  .join('');

/** Without these options Linux says when something happened, and in another order when a recovery took time. */
const LINUX_OPTIONS =
  'console=ttyS0 panic=-1 cryptomgr.notests guestmem=224 cma=0 printk.time=0 audit=0 initramfs_async=0';

const KINDS: Readonly<Record<GuestName['kind'], Kind>> = {
  uboot: {
    summary: 'an unmodified U-Boot, typed a script, and a VM that computes beside it',
    ramMib: 64,
    append: '',
    steps: 120,
    typed: UBOOT_SCRIPT,
    graceTicks: 200 * MS,
    scale: 5,
  },
  linux: {
    summary: 'an unmodified Linux, whose ramdisk works and powers off, and a VM that computes beside it',
    ramMib: 512,
    append: LINUX_OPTIONS,
    steps: 400,
    typed: '',
    graceTicks: 1000 * MS,
    scale: 50,
  },
};

/** A guest that has not powered off by then will not. Bounds snapshots and time; Debian's kernel boots in 1 s. */
const MAX_RUN_MS = 5_000;
/** The hypervisor is up by then, and keeps what is typed for the guest. */
const TYPED_AT_MS = 30;

const VMS: readonly VmCriterion[] = [
  { name: 'guest', role: 'appvm', criterion: 'console', createdLate: false },
  { name: 'vm2', role: 'appvm', criterion: 'output', createdLate: false },
];

/** The set-up that such a name stands for. @throws UserError for a wrong name, a missing file, or no kernel */
export function unmodifiedSetup(name: string): Setup {
  const parsed = parseName(name);
  const kind = KINDS[parsed.kind];
  const { append } = parsed;
  const kernel = fileAt(parsed.file, parsed.kind === 'linux' ? 'a Linux Image for riscv64' : 'U-Boot for S-mode, raw');
  if (parsed.kind === 'linux' && !isLinuxImage(kernel)) {
    throw new UserError(`${parsed.file}: no kernel: expected a Linux Image for riscv64, not compressed`);
  }
  if (parsed.kind === 'uboot' && isElf(kernel)) {
    throw new UserError(`${parsed.file}: an ELF file: expected U-Boot for S-mode as raw bytes, u-boot.bin`);
  }
  const initrd = parsed.initrd === undefined ? undefined : fileAt(parsed.initrd, 'an initial ramdisk');
  const bytes = makeBundle([
    { name: 'kernel', bytes: kernel.bytes },
    ...(initrd ? [{ name: 'initrd', bytes: initrd.bytes }] : []),
    { name: 'beside', bytes: ownImage('guest-compute.elf').bytes },
  ]);
  // Results belong to the images by name: two files must not have one.
  const bundle: Image = { name: name.slice(0, MAX_NAME), bytes };
  const words = [kind.append, `steps=${kind.steps}`, append].filter((text) => text !== '' && text !== undefined);
  const config = (seed: number) => machineOf(bundle, words.join(' '), seed, { ramBytes: kind.ramMib * MIB });
  const inputs: readonly TimedInput[] =
    kind.typed === '' ? [] : [{ ticks: TYPED_AT_MS * MS, event: { kind: 'console', bytes: Buffer.from(kind.typed) } }];
  const { summary, graceTicks, scale } = kind;
  const maxTicks = MAX_RUN_MS * MS;
  return { name, summary, vms: VMS, config, inputs: () => inputs, graceTicks, scale, maxTicks };
}

const isElf = ({ bytes }: Image): boolean => Buffer.from(bytes.subarray(0, 4)).toString('latin1') === '\x7fELF';
