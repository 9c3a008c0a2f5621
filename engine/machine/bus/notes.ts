/**
 * Notes: what software inside tells the observer by writing (arg << 16 | code) to the test finisher, code
 * 0x1000–0x1fff. QEMU's finisher ignores such values, so images that write them run unchanged there. They say nothing
 * that only one hypervisor could mean: 0x1010–0x101f is a detection, 0x1020–0x102f a step of a recovery, 0x1030 the
 * return to the VMs. The C header `notes.h` is generated from this table by engine/subject/images/build.ts.
 */

interface Note {
  readonly code: number;
  readonly doc: string;
  /** What the argument is. */
  readonly arg: keyof typeof UNITS;
  /** For people; {} stands for the argument. */
  readonly text: string;
}

/** How arguments are written. */
const UNITS = {
  harts: String,
  hart: String,
  instance: String,
  vmid: String,
  domains: String,
  ms: String,
  reason: String,
  cause: (arg: number) => `0x${arg.toString(16)}`,
  frames: String,
  step: String,
} as const;

export const NOTES = {
  FIRMWARE_UP: { code: 0x1001, arg: 'harts', text: 'firmware up on {} harts', doc: 'firmware initialised' },
  HYPERVISOR_UP: {
    code: 0x1002,
    arg: 'instance',
    text: 'hypervisor instance {} up',
    doc: 'hypervisor about to enter its first VM; 0 for the first instance',
  },
  VM_PROGRESS: { code: 0x1003, arg: 'vmid', text: 'VM {} made progress', doc: 'a VM reported progress' },
  VM_DONE: { code: 0x1004, arg: 'vmid', text: 'VM {} finished', doc: 'a VM finished' },
  DETECTED_TRAP: {
    code: 0x1010,
    arg: 'cause',
    text: 'detected: unexpected trap {}',
    doc: 'recovery entered: unexpected trap or failed assertion; low 16 bits of the cause',
  },
  DETECTED_HANG: { code: 0x1011, arg: 'hart', text: 'detected: hart {} hangs', doc: 'recovery entered: watchdog' },
  FROZEN: { code: 0x1020, arg: 'harts', text: '{} harts frozen', doc: 'every hart is frozen' },
  REBOOTED: {
    code: 0x1021,
    arg: 'instance',
    text: 'hypervisor rebooted in place, instance {}',
    doc: 'pristine image copied, static data saved; the new instance starts',
  },
  REINTEGRATED: {
    code: 0x1022,
    arg: 'domains',
    text: '{} domains re-integrated',
    doc: 'heap, domains, vCPUs and G-stage tables are re-integrated',
  },
  FIXUP: { code: 0x1023, arg: 'step', text: 'fix-up {} ran', doc: 'a consistency fix-up ran; its bit in enhance=' },
  FRAMES_FREED: { code: 0x1024, arg: 'frames', text: '{} frames came free', doc: 'the page-frame check is done' },
  RESET: {
    code: 0x1025,
    arg: 'instance',
    text: 'hypervisor reset in place, instance {}',
    doc: 'stacks dropped, everything else kept (microreset); the recovery handler starts',
  },
  RESUMED: {
    code: 0x1030,
    arg: 'ms',
    text: 'VMs resumed within {} ms',
    doc: 'the first VM entry after recovery is next; recovery latency, rounded up, saturated',
  },
  RECOVERY_FAILED: { code: 0x103f, arg: 'reason', text: 'recovery failed, reason {}', doc: 'recovery gave up' },
} as const satisfies Record<string, Note>;

/** What software writes to the finisher for a reset; noted when the machine starts over (MachineConfig.reboots). */
export const RESET_NOTE = 0x7777;

export type NoteName = keyof typeof NOTES;

const NAMES = new Map(Object.entries(NOTES).map(([name, { code }]) => [code as number, name as NoteName]));

/** Name of a note code, or undefined for a code that is not declared. */
export const noteName = (code: number): NoteName | undefined => NAMES.get(code);

/** Whether a note says that a failure was detected. */
export const isDetection = (code: number): boolean => code >= 0x1010 && code <= 0x101f;

/** A note as text: `hart 1 hangs`; `arg` may be a name already. For a code that is not declared: the numbers. */
export function noteText(code: number, arg: number | string): string {
  if (code === RESET_NOTE) return 'the machine was reset and starts over';
  const name = noteName(code);
  if (name === undefined) return `note 0x${code.toString(16)}, argument ${arg}`;
  const note: Note = NOTES[name];
  return note.text.replace('{}', typeof arg === 'string' ? arg : UNITS[note.arg](arg));
}
