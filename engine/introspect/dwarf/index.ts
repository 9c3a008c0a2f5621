/**
 * DWARF 5 and 4: the debug information of images. Source lines, how a caller's frame is found, functions with their
 * parameters, variables and their parts. Relies on ELF sections; knows no machine.
 */
export { type DebugInfo, readDebugInfo } from './debug-info.ts';
export type { CfaRule, RegisterRule } from './frame-rules.ts';
export type { FrameRules } from './frames.ts';
export type { DebugFunction, DebugParameter } from './functions.ts';
export type { SourceLine } from './lines.ts';
export type { DebugVariable } from './variables.ts';
