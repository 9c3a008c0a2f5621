/**
 * QEMU's options, as people paste them, one row each: what becomes of it on the command line of `dejavm record`.
 * Options that have the same name and meaning here stand in the flag table (tui/cli/flags.ts) and not here. A row for
 * every option that QEMU has: `options.peer.ts` asks it.
 */
import type { FlagName } from '../flags.ts';
import {
  type Take,
  takeAccelerator,
  takeAny,
  takeChardev,
  takeCpu,
  takeDisk,
  takeGlobal,
  takeIcount,
  takeMachine,
  takeNever,
  takeNographic,
  takeObject,
  takeOnly,
  takeSerial,
} from './values.ts';

/** Flags of ours that QEMU writes with one dash. */
export const SHARED: readonly FlagName[] = [
  'smp',
  'bios',
  'kernel',
  'initrd',
  'append',
  'dtb',
  'drive',
  'netdev',
  'device',
  'rtc',
  'seed',
  'noReboot',
];

export interface QemuOption {
  /** Without dashes. */
  readonly names: readonly string[];
  readonly hasValue: boolean;
  readonly take: Take;
}

const row = (names: string, hasValue: 'value' | 'switch', take: Take): QemuOption => ({
  names: names.split(' '),
  hasValue: hasValue === 'value',
  take,
});
const value = (names: string, take: Take) => row(names, 'value', take);
const toggle = (names: string, take: Take) => row(names, 'switch', take);

const NO_GRAPHICS = 'the board has no graphics and no sound';
const NO_BUSES = 'the board has no USB, no parallel port, no floppy and no flash';
const LOOK_LATER = 'nobody can stop or watch a run while it is recorded; look at the trace with `dejavm tui TRACE`';
const USE_DRIVE = 'disks are -drive file=FILE,format=raw,if=none,id=d0 -device virtio-blk-device,drive=d0';
const USE_NETDEV = 'networks are -netdev builtin,id=n0 -device virtio-net-device,netdev=n0';
const USE_SHELL = 'that is for the shell that starts dejavm';
const NO_MIGRATION =
  'nothing comes from or goes to another QEMU; `dejavm replay TRACE -g 1.5M` goes to any state of a recorded run';
const NO_FIRMWARE_TABLES = 'the board has no fw_cfg, ACPI, SMBIOS or option ROMs';

export const QEMU_OPTIONS: readonly QemuOption[] = [
  value('M machine', takeMachine),
  value('cpu', takeCpu),
  value('accel', takeAccelerator),
  toggle('enable-kvm', takeNever('every machine is emulated; leave it out')),
  value('icount', takeIcount),
  value('global', takeGlobal),
  value('set', takeNever('give the setting in -device')),
  value('object', takeObject),

  toggle('nographic', takeNographic),
  value('serial', takeSerial),
  value('chardev', takeChardev),
  value('monitor qmp qmp-pretty', takeOnly(['none', 'null'], 'there is no monitor')),
  value('mon', takeAny),
  value('echr', takeNever('Ctrl-A x ends a recording with --console; the key cannot be changed')),
  value('display', takeOnly(['none'], NO_GRAPHICS)),
  value('vga', takeOnly(['none'], NO_GRAPHICS)),
  value('parallel', takeOnly(['none', 'null'], NO_BUSES)),
  value('vnc spice rotate k audio audiodev g', takeNever(NO_GRAPHICS)),
  toggle('full-screen portrait audio-help no-quit', takeNever(NO_GRAPHICS)),
  toggle('usb', takeNever(NO_BUSES)),
  value('usbdevice fda fdb cdrom pflash mtdblock tpmdev', takeNever(NO_BUSES)),

  value('hda hdb hdc hdd sd', takeDisk),
  value('blockdev fsdev virtfs iscsi', takeNever(USE_DRIVE)),
  // What a run writes to a disk is part of the run and never reaches the file.
  toggle('snapshot', takeAny),
  value('net nic', takeOnly(['none'], USE_NETDEV)),

  toggle('s S singlestep one-insn-per-tb', takeNever(LOOK_LATER)),
  value('gdb d D dfilter trace plugin debugcon', takeNever(LOOK_LATER)),
  toggle('semihosting', takeNever('the board has no semihosting')),
  value('semihosting-config', takeNever('the board has no semihosting')),

  toggle('no-shutdown', takeNever("a guest's shutdown ends the recording")),
  value(
    'action watchdog-action',
    takeNever("a guest's shutdown ends the recording; -no-reboot has its reset do so, too"),
  ),

  value('loadvm incoming dump-vmstate', takeNever(NO_MIGRATION)),
  toggle('only-migratable', takeAny),
  value('boot', takeNever('-bios and -kernel say what is booted')),
  value('numa', takeNever('RAM is one node')),
  value('fw_cfg option-rom acpitable smbios', takeNever(NO_FIRMWARE_TABLES)),

  value('name msg overcommit compat uuid', takeAny),
  toggle('nodefaults no-user-config mem-prealloc enable-sync-profile async-teardown', takeAny),
  value('L', takeNever('give -bios the whole path of its file')),
  value('readconfig writeconfig', takeNever('give its settings as flags')),
  value('pidfile chroot runas run-with sandbox add-fd mem-path', takeNever(USE_SHELL)),
  toggle('daemonize preconfig', takeNever(USE_SHELL)),
  toggle('h help', () => ['--help']),
  toggle('version', takeNever('that is dejavm --version')),
];
