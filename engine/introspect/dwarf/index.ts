/**
 * DWARF 5 and 4: the debug information of images. Source lines, and how a caller's frame is found. Relies on ELF
 * sections; knows no machine.
 */
export { type DebugInfo, readDebugInfo } from './debug-info.ts';
export type { CfaRule, RegisterRule } from './frame-rules.ts';
export type { FrameRules } from './frames.ts';
export type { SourceLine } from './lines.ts';
