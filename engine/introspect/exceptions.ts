/**
 * Names of exceptions and interrupts, as the privileged manual's tables of mcause and scause spell them, in lower case.
 */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'instruction address misaligned'],
  [1, 'instruction access fault'],
  [2, 'illegal instruction'],
  [3, 'breakpoint'],
  [4, 'load address misaligned'],
  [5, 'load access fault'],
  [6, 'store/AMO address misaligned'],
  [7, 'store/AMO access fault'],
  [8, 'environment call from U-mode or VU-mode'],
  [9, 'environment call from HS-mode'],
  [10, 'environment call from VS-mode'],
  [11, 'environment call from M-mode'],
  [12, 'instruction page fault'],
  [13, 'load page fault'],
  [15, 'store/AMO page fault'],
  [20, 'instruction guest-page fault'],
  [21, 'load guest-page fault'],
  [22, 'virtual instruction'],
  [23, 'store/AMO guest-page fault'],
]);

/** `load page fault`, for a number from xcause without the interrupt bit. */
export const exceptionName = (cause: number): string => NAMES.get(cause) ?? `exception ${cause}`;

const INTERRUPTS: ReadonlyMap<number, string> = new Map([
  [1, 'supervisor software interrupt'],
  [2, 'VS software interrupt'],
  [3, 'machine software interrupt'],
  [5, 'supervisor timer interrupt'],
  [6, 'VS timer interrupt'],
  [7, 'machine timer interrupt'],
  [9, 'supervisor external interrupt'],
  [10, 'VS external interrupt'],
  [11, 'machine external interrupt'],
  [12, 'supervisor guest external interrupt'],
]);

/** `supervisor timer interrupt`, for a number from xcause without the interrupt bit. */
export const interruptName = (cause: number): string => INTERRUPTS.get(cause) ?? `interrupt ${cause}`;
