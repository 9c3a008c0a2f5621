/**
 * Control and status registers, a row each, as the manual's tables list them: what the machine keeps, shows and lets
 * software change. The set that is implemented is that of QEMU's rv64 without V and vendor numbers. What is a rule and
 * no row (`write` other than `masked`) is a function in core/arch/csr/csr-write.ts.
 * @see Volume II, section 2.2, tables 3–8
 */
import type { Csr, Implementation } from './csr.ts';
import {
  ATP,
  asGuest,
  CAUSE,
  COUNTERS,
  ENVCFG,
  enables,
  FCSR,
  HGATP,
  HSTATUS,
  INTERRUPTS,
  maskOf,
  STATUS,
  TVEC,
  within,
} from './fields.ts';

const ALL = 2n ** 64n - 1n;
/** An instruction address: IALIGN is 16. */
const EVEN = ALL - 1n;
const LOW_WORD = 0xffff_ffffn;

const S_LEVEL = maskOf(INTERRUPTS, 'SSIP STIP SEIP');
const VS_LEVEL = maskOf(INTERRUPTS, 'VSSIP VSTIP VSEIP');
const S_STATUS = maskOf(STATUS, 'SIE SPIE SPP FS SUM MXR');
const S_STATUS_SHOWN = S_STATUS | maskOf(STATUS, 'UXL SD');
const ENV_SHARED = maskOf(ENVCFG, 'FIOM CBIE CBCFE CBZE');
/** Every exception but ecall from M-mode. */
const MEDELEG = 0xf0b7ffn;
/** Those that a guest can handle: neither ecall from S, VS or M nor guest-page faults nor virtual instructions. */
const HEDELEG = 0xb1ffn;

type Details = Partial<Implementation>;

/**
 * A CSR that the machine has. Unless said otherwise: kept under its own name, all of it visible, what is visible
 * writable.
 */
function row(number: number, name: string, details: Details = {}): Csr {
  const { state = name, visible = ALL } = details;
  const implementation = {
    source: 'state' as const,
    state,
    element: 0,
    visible,
    gate: undefined,
    shift: 0,
    write: 'masked' as const,
    target: state,
    writable: visible,
    effects: [],
    guard: 'none' as const,
    twin: undefined,
    fields: [],
    ...details,
  };
  return { ...access(number, name), implementation };
}

/** Reads as zero, or as the source says; writes that are allowed change nothing. */
const hardwired = (number: number, name: string, details: Details = {}): Csr =>
  row(number, name, { source: 'zero', write: 'none', state: 'x', ...details });

const absent = (number: number, name: string): Csr => ({ ...access(number, name), implementation: undefined });

function access(number: number, name: string): Omit<Csr, 'implementation'> {
  const privilege = (['U', 'S', 'H', 'M'] as const)[(number >> 8) & 3] ?? 'M';
  return { number, name, privilege, readOnly: number >> 10 === 3 };
}

/** One for each number from `first` to `last`, the first of which is added to `number`. */
const numbered = (
  make: (number: number, name: string) => Csr,
  number: number,
  stem: string,
  first: number,
  last: number,
) => Array.from({ length: last - first + 1 }, (_, n) => make(number + n, `${stem}${first + n}`));

const FLOAT: Details = { state: 'fcsr', write: 'float', guard: 'float' };
const STATUS_VIEW: Details = {
  source: 'status',
  write: 'status',
  writable: S_STATUS,
  fields: within(STATUS, S_STATUS_SHOWN),
};
const INTERRUPT: Details = { effects: ['interrupts'] };
/** Modes 2 and 3 are reserved. */
const VECTOR: Details = { write: 'vector', writable: ALL & ~2n, fields: TVEC };
/** A byte for each entry: L, A, X, W, R. */
const PMP_CONFIG: Details = {
  state: 'pmpcfg',
  write: 'pmpConfig',
  writable: 0x9f9f_9f9f_9f9f_9f9fn,
  effects: ['flush'],
};
/** Bits 55:2 of a physical address. */
const PMP_ADDRESS = (1n << 54n) - 1n;
const COUNTER: Details = { guard: 'counter' };

const USER: readonly Csr[] = [
  row(0x001, 'fflags', { ...FLOAT, visible: maskOf(FCSR, 'NX UF OF DZ NV'), fields: FCSR.slice(0, 5) }),
  row(0x002, 'frm', { ...FLOAT, visible: maskOf(FCSR, 'frm'), shift: 5 }),
  row(0x003, 'fcsr', { ...FLOAT, visible: maskOf(FCSR), fields: FCSR }),
  hardwired(0xc00, 'cycle', { ...COUNTER, source: 'cycle' }),
  hardwired(0xc01, 'time', { ...COUNTER, source: 'time' }),
  hardwired(0xc02, 'instret', { ...COUNTER, source: 'instret' }),
  ...numbered((number, name) => hardwired(number, name, COUNTER), 0xc03, 'hpmcounter', 3, 31),
];

const SUPERVISOR: readonly Csr[] = [
  row(0x100, 'sstatus', { ...STATUS_VIEW, state: 'mstatus', visible: S_STATUS_SHOWN, twin: 'vsstatus' }),
  row(0x104, 'sie', {
    ...INTERRUPT,
    state: 'mie',
    visible: S_LEVEL,
    gate: 'mideleg',
    twin: 'vsie',
    fields: enables(within(INTERRUPTS, S_LEVEL)),
  }),
  row(0x105, 'stvec', { ...VECTOR, twin: 'vstvec' }),
  row(0x106, 'scounteren', { writable: LOW_WORD, fields: COUNTERS }),
  row(0x10a, 'senvcfg', { write: 'envcfg', writable: ENV_SHARED, fields: within(ENVCFG, ENV_SHARED) }),
  row(0x140, 'sscratch', { twin: 'vsscratch' }),
  row(0x141, 'sepc', { writable: EVEN, twin: 'vsepc' }),
  row(0x142, 'scause', { fields: CAUSE, twin: 'vscause' }),
  row(0x143, 'stval', { twin: 'vstval' }),
  row(0x144, 'sip', {
    ...INTERRUPT,
    source: 'pending',
    visible: S_LEVEL,
    gate: 'mideleg',
    state: 'mip',
    writable: maskOf(INTERRUPTS, 'SSIP'),
    twin: 'vsip',
    fields: within(INTERRUPTS, S_LEVEL),
  }),
  row(0x14d, 'stimecmp', { effects: ['timers'], guard: 'sstc', twin: 'vstimecmp' }),
  row(0x180, 'satp', { write: 'satp', guard: 'virtualMemory', fields: ATP, twin: 'vsatp' }),
];

const VIRTUAL_SUPERVISOR: readonly Csr[] = [
  row(0x200, 'vsstatus', STATUS_VIEW),
  row(0x204, 'vsie', {
    ...INTERRUPT,
    state: 'mie',
    visible: VS_LEVEL,
    gate: 'hideleg',
    shift: 1,
    fields: enables(asGuest(within(INTERRUPTS, VS_LEVEL))),
  }),
  row(0x205, 'vstvec', VECTOR),
  row(0x240, 'vsscratch'),
  row(0x241, 'vsepc', { writable: EVEN }),
  row(0x242, 'vscause', { fields: CAUSE }),
  row(0x243, 'vstval'),
  row(0x244, 'vsip', {
    ...INTERRUPT,
    source: 'pending',
    visible: VS_LEVEL,
    gate: 'hideleg',
    shift: 1,
    state: 'hvip',
    writable: maskOf(INTERRUPTS, 'VSSIP'),
    fields: asGuest(within(INTERRUPTS, VS_LEVEL)),
  }),
  row(0x24d, 'vstimecmp', { effects: ['timers'], guard: 'sstc' }),
  row(0x280, 'vsatp', { write: 'satp', fields: ATP }),
];

const HYPERVISOR: readonly Csr[] = [
  row(0x600, 'hstatus', { writable: maskOf(HSTATUS) & ~maskOf(HSTATUS, 'VSXL'), fields: HSTATUS }),
  row(0x602, 'hedeleg', { writable: HEDELEG }),
  row(0x603, 'hideleg', { ...INTERRUPT, writable: VS_LEVEL }),
  row(0x604, 'hie', { ...INTERRUPT, state: 'mie', visible: VS_LEVEL, fields: enables(within(INTERRUPTS, VS_LEVEL)) }),
  row(0x605, 'htimedelta', { effects: ['timers'] }),
  row(0x606, 'hcounteren', { writable: LOW_WORD, fields: COUNTERS }),
  // There are no guest external interrupts (GEILEN is 0).
  hardwired(0x607, 'hgeie'),
  row(0x60a, 'henvcfg', {
    source: 'henvcfg',
    write: 'henvcfg',
    writable: maskOf(ENVCFG),
    effects: ['contexts', 'timers'],
    fields: ENVCFG,
  }),
  row(0x643, 'htval'),
  row(0x644, 'hip', {
    ...INTERRUPT,
    source: 'pending',
    visible: VS_LEVEL,
    state: 'hvip',
    writable: maskOf(INTERRUPTS, 'VSSIP'),
    fields: within(INTERRUPTS, VS_LEVEL),
  }),
  row(0x645, 'hvip', { ...INTERRUPT, writable: VS_LEVEL, fields: within(INTERRUPTS, VS_LEVEL) }),
  row(0x64a, 'htinst'),
  // The root is 16 KiB aligned.
  row(0x680, 'hgatp', { write: 'hgatp', writable: maskOf(HGATP) & ~3n, guard: 'virtualMemory', fields: HGATP }),
  hardwired(0xe12, 'hgeip'),
];

const MACHINE: readonly Csr[] = [
  row(0x300, 'mstatus', {
    source: 'status',
    write: 'mstatus',
    writable: S_STATUS | maskOf(STATUS, 'MIE MPIE MPP MPRV TVM TW TSR GVA MPV'),
    fields: STATUS,
  }),
  hardwired(0x301, 'misa', { source: 'misa' }),
  row(0x302, 'medeleg', { writable: MEDELEG }),
  // The VS-level bits are read-only ones: those interrupts never go to M-mode.
  row(0x303, 'mideleg', { ...INTERRUPT, writable: S_LEVEL }),
  row(0x304, 'mie', { ...INTERRUPT, writable: maskOf(INTERRUPTS), fields: enables(INTERRUPTS) }),
  row(0x305, 'mtvec', VECTOR),
  row(0x306, 'mcounteren', { writable: LOW_WORD, fields: COUNTERS }),
  row(0x30a, 'menvcfg', { write: 'envcfg', writable: maskOf(ENVCFG), effects: ['contexts', 'timers'], fields: ENVCFG }),
  row(0x320, 'mcountinhibit', { write: 'inhibit', writable: maskOf(COUNTERS, 'CY IR') }),
  ...numbered(hardwired, 0x323, 'mhpmevent', 3, 31),
  row(0x340, 'mscratch'),
  row(0x341, 'mepc', { writable: EVEN }),
  row(0x342, 'mcause', { fields: CAUSE }),
  row(0x343, 'mtval'),
  row(0x344, 'mip', {
    ...INTERRUPT,
    source: 'pending',
    write: 'mip',
    writable: maskOf(INTERRUPTS, 'SSIP VSSIP STIP SEIP'),
    fields: INTERRUPTS,
  }),
  row(0x34a, 'mtinst'),
  row(0x34b, 'mtval2'),
  row(0x3a0, 'pmpcfg0', PMP_CONFIG),
  row(0x3a2, 'pmpcfg2', { ...PMP_CONFIG, element: 1 }),
  ...numbered(
    (number, name) =>
      row(number, name, {
        state: 'pmpaddr',
        element: number - 0x3b0,
        write: 'pmpAddress',
        writable: PMP_ADDRESS,
        effects: ['flush'],
      }),
    0x3b0,
    'pmpaddr',
    0,
    15,
  ),
  // No triggers: tselect is zero, and tdata1 says that the selected one does not exist (Debug specification, Sdtrig).
  hardwired(0x7a0, 'tselect'),
  hardwired(0x7a1, 'tdata1'),
  hardwired(0x7a2, 'tdata2'),
  hardwired(0x7a3, 'tdata3'),
  hardwired(0x7a4, 'tinfo', { source: 'noTrigger' }),
  row(0xb00, 'mcycle', { source: 'cycle', write: 'cycle', state: 'cycleOffset' }),
  row(0xb02, 'minstret', { source: 'instret', write: 'instret', state: 'instret' }),
  ...numbered(hardwired, 0xb03, 'mhpmcounter', 3, 31),
  hardwired(0xf11, 'mvendorid'),
  hardwired(0xf12, 'marchid'),
  hardwired(0xf13, 'mimpid'),
  row(0xf14, 'mhartid', { state: 'hartId', write: 'none' }),
  hardwired(0xf15, 'mconfigptr'),
];

/** Named by the manual, not on this machine. */
const ABSENT: readonly Csr[] = [
  absent(0x120, 'scountinhibit'),
  absent(0x5a8, 'scontext'),
  absent(0xda0, 'scountovf'),
  ...numbered(absent, 0x10c, 'sstateen', 0, 3),
  ...numbered(absent, 0x60c, 'hstateen', 0, 3),
  absent(0x6a8, 'hcontext'),
  ...numbered(absent, 0x30c, 'mstateen', 0, 3),
  ...[4, 6, 8, 10, 12, 14].map((n) => absent(0x3a0 + n, `pmpcfg${n}`)),
  ...numbered(absent, 0x3c0, 'pmpaddr', 16, 63),
  absent(0x747, 'mseccfg'),
  absent(0x7a5, 'tcontrol'),
  absent(0x7a8, 'mcontext'),
  absent(0x7b0, 'dcsr'),
  absent(0x7b1, 'dpc'),
  ...numbered(absent, 0x7b2, 'dscratch', 0, 1),
];

/** All CSRs that the manual names, by number. */
export const CSRS: readonly Csr[] = [
  ...USER,
  ...SUPERVISOR,
  ...VIRTUAL_SUPERVISOR,
  ...HYPERVISOR,
  ...MACHINE,
  ...ABSENT,
].sort((a, b) => a.number - b.number);

const BY_NAME = new Map(CSRS.map((csr) => [csr.name, csr]));
const BY_NUMBER = new Map(CSRS.map((csr) => [csr.number, csr]));

/** The CSR of that name, or undefined. */
export const csrByName = (name: string): Csr | undefined => BY_NAME.get(name);
/** The CSR of that number, or undefined when the manual names none. */
export const csrByNumber = (number: number): Csr | undefined => BY_NUMBER.get(number);
