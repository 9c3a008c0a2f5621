/**
 * Notes: what software inside tells the observer by writing (arg << 16 | code) to the test finisher, code
 * 0x1000–0x1fff. QEMU's finisher ignores such values, so images that write them run unchanged there. The C header
 * `notes.h` is generated from this table by engine/images/build.ts.
 */
export const NOTES = {
  FIRMWARE_UP: { code: 0x1001, doc: 'firmware initialised; arg: harts' },
  HYPERVISOR_UP: { code: 0x1002, doc: 'hypervisor about to enter its first VM; arg: instance number, 0 for the first' },
  VM_PROGRESS: { code: 0x1003, doc: 'a VM reported progress; arg: VMID' },
  VM_DONE: { code: 0x1004, doc: 'a VM finished; arg: VMID' },
  DETECTED_TRAP: {
    code: 0x1010,
    doc: 'recovery entered: unexpected trap or failed assertion; arg: low 16 bits of the cause',
  },
  DETECTED_HANG: { code: 0x1011, doc: 'recovery entered: watchdog; arg: hart that hangs' },
  FROZEN: { code: 0x1020, doc: 'every hart is frozen; arg: harts' },
  REBOOTED: {
    code: 0x1021,
    doc: 'pristine image copied, static data saved; the new instance starts; arg: instance number',
  },
  REINTEGRATED: { code: 0x1022, doc: 'heap, domains, vCPUs and G-stage tables are re-integrated; arg: domains' },
  FIXUP: { code: 0x1023, doc: 'a consistency fix-up ran; arg: its bit number in enhance=' },
  RESUMED: { code: 0x1030, doc: 'the first VM entry after recovery is next; arg: recovery latency in ms, saturated' },
  RECOVERY_FAILED: { code: 0x103f, doc: 'recovery gave up; arg: reason' },
} as const;

export type NoteName = keyof typeof NOTES;

/** Name of a note code, or undefined for a code nobody declared. */
export function noteName(code: number): NoteName | undefined {
  for (const [name, note] of Object.entries(NOTES)) if (note.code === code) return name as NoteName;
  return undefined;
}
