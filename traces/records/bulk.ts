/**
 * The bulk records: digests of the machine and of each VM, console bytes and notes, each a table of fixed-width
 * columns. Field order is the file's.
 */

import { type ColumnCodec, columns } from '../columns.ts';
import type { TraceConsole, TraceDigest, TraceNote, TraceVmDigest } from '../types.ts';

export const DIGESTS: ColumnCodec<TraceDigest> = columns({ moment: 'u53', ticks: 'u53', digest: 'u64' });
export const VM_DIGESTS: ColumnCodec<TraceVmDigest> = columns({
  moment: 'u53',
  ticks: 'u53',
  vmid: 'u32',
  digest: 'u64',
});
export const CONSOLE: ColumnCodec<TraceConsole> = columns({ moment: 'u53', ticks: 'u53', byte: 'u8' });
export const NOTES: ColumnCodec<TraceNote> = columns({
  moment: 'u53',
  ticks: 'u53',
  hart: 'u32',
  code: 'u32',
  arg: 'u32',
});
