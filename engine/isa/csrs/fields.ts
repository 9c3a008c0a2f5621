/**
 * Fields of control and status registers, in the manual's notation: `FS 14:13`, `SIE 1`. Only those that the machine
 * has: bits that are hardwired to zero have no name here. Core and documentation take names and masks from here.
 */
export interface BitField {
  readonly name: string;
  /** Lowest bit. */
  readonly shift: number;
  readonly width: number;
  /** Its bits, in place. */
  readonly mask: bigint;
}

/** Parses `NAME bit` and `NAME high:low`, separated by commas. */
function parse(text: string): readonly BitField[] {
  return text.split(', ').map((part) => {
    const [, name = '', high = '0', low = high] = /^(\S+) (\d+)(?::(\d+))?$/.exec(part) ?? [];
    const width = Number(high) - Number(low) + 1;
    return { name, shift: Number(low), width, mask: ((1n << BigInt(width)) - 1n) << BigInt(low) };
  });
}

/** mstatus; sstatus and vsstatus show a part. FS: 0 off, 1 initial, 2 clean, 3 dirty. SD is computed on reads. */
export const STATUS = parse(
  'SIE 1, MIE 3, SPIE 5, MPIE 7, SPP 8, MPP 12:11, FS 14:13, MPRV 17, SUM 18, MXR 19, TVM 20, TW 21, TSR 22, UXL 33:32, ' +
    'SXL 35:34, GVA 38, MPV 39, SD 63',
);
export const HSTATUS = parse('GVA 6, SPV 7, SPVP 8, HU 9, VTVM 20, VTW 21, VTSR 22, VSXL 33:32');
/** menvcfg and henvcfg; senvcfg has those below bit 8. */
export const ENVCFG = parse('FIOM 0, CBIE 5:4, CBCFE 6, CBZE 7, ADUE 61, PBMTE 62, STCE 63');
/** mip; the other interrupt registers show a part, enables with E for P. */
export const INTERRUPTS = parse('SSIP 1, VSSIP 2, MSIP 3, STIP 5, VSTIP 6, MTIP 7, SEIP 9, VSEIP 10, MEIP 11');
export const COUNTERS = parse('CY 0, TM 1, IR 2, HPM 31:3');
export const FCSR = parse('NX 0, UF 1, OF 2, DZ 3, NV 4, frm 7:5');
export const ATP = parse('PPN 43:0, ASID 59:44, MODE 63:60');
export const HGATP = parse('PPN 43:0, VMID 57:44, MODE 63:60');
export const TVEC = parse('MODE 1:0, BASE 63:2');
export const CAUSE = parse('CODE 62:0, INTERRUPT 63');

/** All bits of the fields named, or of all. @throws Error for a name that is not among them (ours: an assertion) */
export function maskOf(fields: readonly BitField[], names?: string): bigint {
  const wanted = names?.split(' ') ?? fields.map(({ name }) => name);
  return wanted.reduce((mask, name) => {
    const field = fields.find((candidate) => candidate.name === name);
    if (!field) throw new Error(`no field ${name}`);
    return mask | field.mask;
  }, 0n);
}

/** Those whose bits are all in the mask. */
export const within = (fields: readonly BitField[], mask: bigint): readonly BitField[] =>
  fields.filter((field) => (field.mask & ~mask) === 0n);

/** Interrupt fields as enables. */
export const enables = (fields: readonly BitField[]): readonly BitField[] =>
  fields.map((field) => ({ ...field, name: field.name.replace(/P$/, 'E') }));

/** The fields of VS-level interrupts as a guest sees them: one bit lower, under the supervisor's names. */
export const asGuest = (fields: readonly BitField[]): readonly BitField[] =>
  fields.map(({ name, shift, width, mask }) => ({ name: name.slice(1), shift: shift - 1, width, mask: mask >> 1n }));
