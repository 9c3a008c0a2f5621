/**
 * Writes the AssemblyScript side of the layout: constants only, so that both languages read one declaration.
 * Run by scripts/build.ts; the result is not committed.
 */
import { writeFileSync } from 'node:fs';
import { BLOCKS, CONSTANTS } from './layout.ts';

const snake = (name: string) => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();

/** Text of `arch/layout.gen.ts`: `HART_MSTATUS`-style byte offsets, block sizes, and the shared constants. */
export function assemblyScriptLayout(): string {
  const lines = ['// Generated from engine/core/layout.ts by layout-gen.ts. Do not edit.'];
  for (const block of BLOCKS) {
    for (const f of block.fields) lines.push(`export const ${block.name}_${snake(f.name)}: u32 = ${f.offset};`);
    lines.push(`export const ${block.name}_SAVED_BYTES: u32 = ${block.savedBytes};`);
    lines.push(`export const ${block.name}_SIZE_BYTES: u32 = ${block.sizeBytes};`);
  }
  for (const [name, value] of Object.entries(CONSTANTS)) lines.push(`export const ${name}: u32 = ${value};`);
  return `${lines.join('\n')}\n`;
}

/** Writes the generated file beside the AssemblyScript sources. */
export function writeAssemblyScriptLayout(): void {
  writeFileSync(new URL('./arch/layout.gen.ts', import.meta.url), assemblyScriptLayout());
}
