/**
 * Control and status registers by number, as the manual's tables list them. Access rules follow from the number:
 * bits 11:10 = 3 read-only; bits 9:8 = lowest privilege (0 U, 1 S, 2 HS and VS, 3 M). Which of them a machine
 * implements is the privileged architecture's affair; this table only names them.
 * @see Volume II, section 2.2, tables 3–8
 */
export type CsrPrivilege = 'U' | 'S' | 'H' | 'M';

export interface Csr {
  readonly number: number;
  readonly name: string;
  readonly privilege: CsrPrivilege;
  readonly readOnly: boolean;
}

/** `first` names the CSR at the number, the next word the one after it, and so on; `-` skips a number. */
const RUNS: readonly (readonly [number, string])[] = [
  [0x001, 'fflags frm fcsr'],
  [0xc00, `cycle time instret ${numbered('hpmcounter', 3, 31)}`],
  [0x100, 'sstatus - - - sie stvec scounteren'],
  [0x10a, 'senvcfg'],
  [0x120, 'scountinhibit'],
  [0x140, 'sscratch sepc scause stval sip'],
  [0x14d, 'stimecmp'],
  [0x180, 'satp'],
  [0x5a8, 'scontext'],
  [0xda0, 'scountovf'],
  [0x10c, numbered('sstateen', 0, 3)],
  [0x600, 'hstatus - hedeleg hideleg hie htimedelta hcounteren hgeie'],
  [0x60a, 'henvcfg'],
  [0x60c, numbered('hstateen', 0, 3)],
  [0x643, 'htval hip hvip'],
  [0x64a, 'htinst'],
  [0x680, 'hgatp'],
  [0x6a8, 'hcontext'],
  [0xe12, 'hgeip'],
  [0x200, 'vsstatus - - - vsie vstvec'],
  [0x240, 'vsscratch vsepc vscause vstval vsip'],
  [0x24d, 'vstimecmp'],
  [0x280, 'vsatp'],
  [0xf11, 'mvendorid marchid mimpid mhartid mconfigptr'],
  [0x300, 'mstatus misa medeleg mideleg mie mtvec mcounteren'],
  [0x30a, 'menvcfg'],
  [0x30c, numbered('mstateen', 0, 3)],
  [0x320, `mcountinhibit - - ${numbered('mhpmevent', 3, 31)}`],
  [0x340, 'mscratch mepc mcause mtval mip'],
  [0x34a, 'mtinst mtval2'],
  [0x3a0, 'pmpcfg0 - pmpcfg2 - pmpcfg4 - pmpcfg6 - pmpcfg8 - pmpcfg10 - pmpcfg12 - pmpcfg14'],
  [0x3b0, numbered('pmpaddr', 0, 63)],
  [0x747, 'mseccfg'],
  [0x7a0, 'tselect tdata1 tdata2 tdata3 tinfo tcontrol'],
  [0x7a8, 'mcontext'],
  [0x7b0, 'dcsr dpc dscratch0 dscratch1'],
  [0xb00, `mcycle - minstret ${numbered('mhpmcounter', 3, 31)}`],
];

/** All CSRs, by number. */
export const CSRS: readonly Csr[] = RUNS.flatMap(([first, names]) =>
  names.split(' ').map((name, index) => describe(first + index, name)),
)
  .filter((csr) => csr.name !== '-')
  .sort((a, b) => a.number - b.number);

const BY_NAME = new Map(CSRS.map((csr) => [csr.name, csr]));
const BY_NUMBER = new Map(CSRS.map((csr) => [csr.number, csr]));

/** The CSR of that name, or undefined. */
export const csrByName = (name: string): Csr | undefined => BY_NAME.get(name);
/** The CSR of that number, or undefined when the manual names none. */
export const csrByNumber = (number: number): Csr | undefined => BY_NUMBER.get(number);

function describe(number: number, name: string): Csr {
  const privilege = (['U', 'S', 'H', 'M'] as const)[(number >> 8) & 3] ?? 'M';
  return { number, name, privilege, readOnly: number >> 10 === 3 };
}

function numbered(stem: string, first: number, last: number): string {
  return Array.from({ length: last - first + 1 }, (_, n) => `${stem}${first + n}`).join(' ');
}
