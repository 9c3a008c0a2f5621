/**
 * Writes the AssemblyScript side of the layout: constants only, so that both languages read one declaration.
 * Run by scripts/build.ts; the result is not committed.
 */
import { writeFileSync } from 'node:fs';
import {
  ATP,
  type BitField,
  COUNTERS,
  CSR_EFFECTS,
  CSR_GUARDS,
  CSR_SOURCES,
  CSR_WRITES,
  ENVCFG,
  HSTATUS,
  INTERRUPTS,
  STATUS,
} from '../../isa/index.ts';
import { BLOCKS, CONSTANTS } from './layout.ts';

const snake = (name: string) => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();

/** Masks of CSR fields, by the prefix of their names; those of status and interrupt registers are known without. */
const FIELDS: readonly (readonly [string, readonly BitField[]])[] = [
  ['', STATUS],
  ['', INTERRUPTS],
  ['HS_', HSTATUS],
  ['ENV_', ENVCFG],
  ['COUNTER_', COUNTERS],
  ['ATP_', ATP],
];

/**
 * Text of `arch/layout.gen.ts`: `HART_MSTATUS`-style byte offsets, block sizes, the shared constants, and what the
 * table of CSRs says.
 */
export function assemblyScriptLayout(): string {
  const lines = ['// Generated from engine/core/layout/layout.ts by layout-gen.ts. Do not edit.'];
  for (const block of BLOCKS) {
    for (const f of block.fields) lines.push(`export const ${block.name}_${snake(f.name)}: u32 = ${f.offset};`);
    lines.push(`export const ${block.name}_SAVED_BYTES: u32 = ${block.savedBytes};`);
    lines.push(`export const ${block.name}_SIZE_BYTES: u32 = ${block.sizeBytes};`);
  }
  for (const [name, value] of Object.entries(CONSTANTS)) lines.push(`export const ${name}: u32 = ${value};`);
  for (const [prefix, fields] of FIELDS) lines.push(...fields.flatMap((each) => fieldLines(prefix, each)));
  lines.push(
    ...numbers('CSR_SOURCE', CSR_SOURCES),
    ...numbers('CSR_WRITE', CSR_WRITES),
    ...numbers('CSR_GUARD', CSR_GUARDS),
  );
  CSR_EFFECTS.forEach((name, n) => {
    lines.push(`export const CSR_EFFECT_${snake(name)}: u32 = ${1 << n};`);
  });
  return `${lines.join('\n')}\n`;
}

const numbers = (prefix: string, names: readonly string[]) =>
  names.map((name, n) => `export const ${prefix}_${snake(name)}: u32 = ${n};`);

const fieldLines = (prefix: string, { name, mask, shift, width }: BitField): string[] => [
  `export const ${prefix}${name}: u64 = 0x${mask.toString(16)};`,
  ...(width > 1 ? [`export const ${prefix}${name}_SHIFT: u64 = ${shift};`] : []),
];

/** Writes the generated file beside the AssemblyScript sources. */
export function writeAssemblyScriptLayout(): void {
  writeFileSync(new URL('../arch/layout.gen.ts', import.meta.url), assemblyScriptLayout());
}
