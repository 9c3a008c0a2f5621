/**
 * The Supervisor Binary Interface by name: extensions (a7), functions (a6), how many arguments they take, and errors.
 * @see RISC-V SBI specification 2.0, chapters 3 to 14
 */

type Functions = readonly (readonly [name: string, args: number])[];

const EXTENSIONS: Readonly<Record<number, readonly [name: string, functions: Functions]>> = {
  16: [
    'BASE',
    [
      ['get_spec_version', 0],
      ['get_impl_id', 0],
      ['get_impl_version', 0],
      ['probe_extension', 1],
      ['get_mvendorid', 0],
      ['get_marchid', 0],
      ['get_mimpid', 0],
    ],
  ],
  1414090053: ['TIME', [['set_timer', 1]]],
  7557193: ['IPI', [['send_ipi', 2]]],
  1380339267: [
    'RFENCE',
    [
      ['remote_fence_i', 2],
      ['remote_sfence_vma', 4],
      ['remote_sfence_vma_asid', 5],
      ['remote_hfence_gvma_vmid', 5],
      ['remote_hfence_gvma', 4],
      ['remote_hfence_vvma_asid', 5],
      ['remote_hfence_vvma', 4],
    ],
  ],
  4739917: [
    'HSM',
    [
      ['hart_start', 3],
      ['hart_stop', 0],
      ['hart_get_status', 1],
      ['hart_suspend', 3],
    ],
  ],
  1397904212: ['SRST', [['system_reset', 2]]],
  5262677: [
    'PMU',
    [
      ['num_counters', 0],
      ['counter_get_info', 1],
      ['counter_config_matching', 5],
      ['counter_start', 4],
      ['counter_stop', 3],
      ['counter_fw_read', 1],
      ['counter_fw_read_hi', 1],
      ['snapshot_set_shmem', 3],
    ],
  ],
  1145193294: [
    'DBCN',
    [
      ['console_write', 3],
      ['console_read', 3],
      ['console_write_byte', 1],
    ],
  ],
  1398100816: ['SUSP', [['system_suspend', 3]]],
  1129336899: [
    'CPPC',
    [
      ['probe', 1],
      ['read', 1],
      ['read_hi', 1],
      ['write', 2],
    ],
  ],
  1312899916: [
    'NACL',
    [
      ['probe_feature', 1],
      ['set_shmem', 3],
      ['sync_csr', 1],
      ['sync_hfence', 1],
      ['sync_sret', 0],
    ],
  ],
  5461057: ['STA', [['steal_time_set_shmem', 3]]],
};

/** Legacy extensions: a6 means nothing, and only a0 is a result. */
const LEGACY: Functions = [
  ['set_timer', 1],
  ['console_putchar', 1],
  ['console_getchar', 0],
  ['clear_ipi', 0],
  ['send_ipi', 1],
  ['remote_fence_i', 1],
  ['remote_sfence_vma', 3],
  ['remote_sfence_vma_asid', 4],
  ['shutdown', 0],
];

const ERRORS = [
  'failed',
  'not supported',
  'invalid parameter',
  'denied',
  'invalid address',
  'already available',
  'already started',
  'already stopped',
  'no shared memory',
] as const;

export interface SbiCall {
  readonly name: string;
  /** undefined: a function without a name. */
  readonly arguments: number | undefined;
  readonly isLegacy: boolean;
}

/** The call that a7 and a6 name; undefined when the extension is none of SBI's. */
export function sbiCall(extension: bigint, number: bigint): SbiCall | undefined {
  const legacy = extension < BigInt(LEGACY.length) ? LEGACY[Number(extension)] : undefined;
  if (legacy) return { name: `legacy ${legacy[0]}`, arguments: legacy[1], isLegacy: true };
  const known = extension < 2n ** 32n ? EXTENSIONS[Number(extension)] : undefined;
  if (!known) return undefined;
  const [name, functions] = known;
  const found = number < BigInt(functions.length) ? functions[Number(number)] : undefined;
  return { name: `${name} ${found?.[0] ?? `function ${number}`}`, arguments: found?.[1], isLegacy: false };
}

/** The name of an SBI error, for a0 as an unsigned 64-bit number; undefined: it is none. */
export const sbiError = (a0: bigint): string | undefined => ERRORS[Number(-BigInt.asIntN(64, a0)) - 1];
