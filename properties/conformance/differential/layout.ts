/**
 * Where things lie in the memory of a differential run, and the shapes of case and result records. The harness, the
 * encoder and the decoder all take them from here.
 * The arena holds what a case sees: code, data, trap handlers and page tables, at the same offsets in every address
 * space (a *window*), so that one offset names a page whatever the translation.
 */

export const RAM_BYTES = 32 << 20;
export const HARNESS_AT = 0x8000_0000;
/** Words of the harness: see STATE. */
export const STATE_AT = 0x8001_0000;
export const CASES_AT = 0x8002_0000;
export const ARENA_AT = 0x8080_0000;
export const RESULTS_AT = 0x8090_0000;
const RESULTS_END = 0x81c0_0000;

export const PAGE = 4096;
/** Pages of the arena. Pages 9 to 15 are zero and belong to nobody. */
export const PAGES = { code: 0, data: 2, handlers: 8, empty: 9, hgatp: 16, satp: 26, vsatp: 32, count: 38 } as const;

/** Handlers for HS- and VS-mode: hand every trap on to M-mode, or skip what may be skipped. */
export const HANDLER = { escalate: 0x000, skip: 0x100 } as const;

/** Traps into M-mode that a case may take before it is over. */
export const MAX_TRAPS = 6;

/** Words (8 bytes) of the harness's own state. */
export const STATE = { case: 0, result: 1, left: 2, traps: 3, timeBudget: 4, timedOut: 5, x: 6 } as const;

/** What one machine run of a batch needs to know beyond the cases. */
export interface RecordShape {
  /** CSRs that a case sets, in this order. */
  readonly setup: readonly string[];
  /** CSRs that are recorded. */
  readonly recorded: readonly string[];
  /** Whether there are floating-point registers. */
  readonly floats: boolean;
}

/** Words of a case record before its memory words (address, value pairs). */
export function caseWords(shape: RecordShape) {
  const csrs = 4;
  const x = csrs + shape.setup.length;
  const f = x + 32;
  return { words: 0, pokes: 1, codeFrom: 2, codeTo: 3, csrs, x, f, fixed: f + (shape.floats ? 33 : 0) };
}

/** Words of one trap's log. */
export const TRAP_FIELDS = ['mcause', 'mepc', 'mtval', 'mtval2', 'mtinst', 'mstatus'] as const;

/** Words of a result record. */
export function resultWords(shape: RecordShape) {
  const log = 2;
  const x = log + MAX_TRAPS * TRAP_FIELDS.length;
  const f = x + 32;
  const csrs = f + (shape.floats ? 33 : 0);
  const pages = csrs + shape.recorded.length;
  return { traps: 0, timedOut: 1, log, x, f, csrs, pages, size: pages + PAGES.count };
}

/** Cases that fit into one image, whatever they look like. */
export function batchLimit(shape: RecordShape): number {
  const resultBytes = resultWords(shape).size * 8;
  return Math.min(400, Math.floor((RESULTS_END - RESULTS_AT) / resultBytes));
}
/** Bytes that all case records together may take. */
export const CASES_BYTES = ARENA_AT - CASES_AT;
