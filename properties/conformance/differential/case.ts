/**
 * A case: everything that a short run starts from, as plain data, and its encoding into a record of the batch image.
 * Addresses inside windows are computed here; nothing is checked, since wrong set-ups are what cases are for.
 */
import { assemble } from '../../../engine/index.ts';
import { handlersSource } from './harness.ts';
import {
  ARENA_AT,
  CASES_AT,
  caseWords,
  HARNESS_AT,
  PAGE,
  PAGES,
  RESULTS_AT,
  type RecordShape,
  STATE,
  STATE_AT,
} from './layout.ts';
import { type Stage, tableWords } from './page-tables.ts';

export const MODES = ['M', 'HS', 'U', 'VS', 'VU'] as const;
export type CaseMode = (typeof MODES)[number];

export interface Case {
  readonly mode: CaseMode;
  /** 4-byte slots: one 32-bit instruction or two 16-bit ones. */
  readonly slots: readonly number[];
  /** Where in the code pages they begin; near the end of the first, they cross into the second. */
  readonly offset: number;
  readonly x: readonly bigint[];
  readonly f: readonly bigint[];
  /** Values other than the defaults of `defaultCsr`. */
  readonly csrs: Readonly<Record<string, bigint>>;
  readonly satp: Stage | undefined;
  readonly vsatp: Stage | undefined;
  readonly hgatp: Stage | undefined;
  /** First words of the data pages. */
  readonly data: readonly bigint[];
}

/** Address of the arena as the mode sees it. */
export function windowOf(its: Pick<Case, 'satp' | 'vsatp' | 'hgatp'>, mode: CaseMode): bigint {
  if (mode === 'M') return BigInt(ARENA_AT);
  if (mode === 'HS' || mode === 'U') return its.satp?.window ?? BigInt(ARENA_AT);
  return its.vsatp?.window ?? its.hgatp?.window ?? BigInt(ARENA_AT);
}

/** NAPOT of the harness and its records, without permissions; and of everything, with all of them. */
const PMP_HARNESS = BigInt((HARNESS_AT + (ARENA_AT - HARNESS_AT) / 2) / 4 - 1);
const PMP_RESULTS = BigInt((RESULTS_AT + 0x8_0000) / 4 - 1);
const PMP_DEFAULTS: Readonly<Record<string, bigint>> = {
  pmpaddr0: PMP_HARNESS,
  pmpaddr1: PMP_RESULTS,
  pmpaddr15: (1n << 54n) - 1n,
  pmpcfg0: 0x1818n,
  pmpcfg2: 0x1fn << 56n,
};

/** What a case sets a CSR to unless it says otherwise: everything delegated nowhere, timers never due, PMP open. */
export function defaultCsr(name: string): bigint {
  if (name === 'stimecmp' || name === 'vstimecmp') return (1n << 64n) - 1n;
  return PMP_DEFAULTS[name] ?? 0n;
}

const MPP = 3n << 11n;
const MPV = 1n << 39n;
const MIE = 1n << 3n;
const MPRV = 1n << 17n;
const MTIE = 1n << 7n;
const PREVIOUS: Record<CaseMode, bigint> = { M: MPP, HS: 1n << 11n, U: 0n, VS: (1n << 11n) | MPV, VU: MPV };

/** A CSR's value at the start of a case. */
export function csrOf(its: Case, name: string): bigint {
  const value = its.csrs[name] ?? defaultCsr(name);
  switch (name) {
    case 'mstatus':
      // MRET enters the mode; loads before it must not be translated.
      return (value & ~(MPP | MPV | MIE | MPRV)) | PREVIOUS[its.mode];
    case 'mepc':
      return windowOf(its, its.mode) + BigInt(its.offset);
    case 'mie':
      // The guard against cases that never end.
      return value | MTIE;
    case 'satp':
    case 'vsatp':
    case 'hgatp': {
      const stage = its[name];
      if (!stage) return 0n;
      return (
        (BigInt(stage.mode) << 60n) |
        value |
        ((BigInt(ARENA_AT) >> 12n) + BigInt(PAGES[name]) + offsetOfTables(its, name))
      );
    }
    default:
      return value;
  }
}

/** vsatp's root is a guest-physical address: pages from the arena to the window under hgatp. */
function offsetOfTables(its: Case, name: 'satp' | 'vsatp' | 'hgatp'): bigint {
  if (name !== 'vsatp' || !its.hgatp) return 0n;
  return (its.hgatp.window - BigInt(ARENA_AT)) >> 12n;
}

const EBREAK = 0x00100073;
const handlers = (() => {
  const { bytes } = assemble(handlersSource(), 0);
  const padded = new Uint8Array(Math.ceil(bytes.length / 8) * 8);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  return Array.from({ length: padded.length / 8 }, (_, n) => view.getBigUint64(n * 8, true));
})();

/** Memory words of a case: physical address and value. */
function pokesOf(its: Case): [number, bigint][] {
  const pokes: [number, bigint][] = [];
  const at = (page: number) => ARENA_AT + page * PAGE;
  const code = new Uint32Array([...its.slots, EBREAK]);
  // In words of 8 bytes; what surrounds the code in the first and last is zero.
  const before = its.offset & 7;
  const bytes = new Uint8Array(Math.ceil((before + code.byteLength) / 8) * 8);
  bytes.set(new Uint8Array(code.buffer), before);
  for (const [n, word] of new BigUint64Array(bytes.buffer).entries()) {
    pokes.push([at(PAGES.code) + its.offset - before + 8 * n, word]);
  }
  for (const [n, value] of its.data.entries()) {
    const page = PAGES.data + (n % (PAGES.handlers - PAGES.data));
    // At both ends of each page, where the biased addresses point.
    const offset = n % 2 ? PAGE - 8 - 8 * (n >> 3) : 8 * (n >> 3);
    pokes.push([at(page) + offset, value]);
  }
  for (const [n, value] of handlers.entries()) pokes.push([at(PAGES.handlers) + 8 * n, value]);
  if (its.satp) pokes.push(...tableWords(its.satp, ARENA_AT + PAGES.satp * PAGE, BigInt(ARENA_AT), false));
  if (its.vsatp) {
    const target = its.hgatp?.window ?? BigInt(ARENA_AT);
    pokes.push(...tableWords(its.vsatp, ARENA_AT + PAGES.vsatp * PAGE, target, false));
  }
  if (its.hgatp) pokes.push(...tableWords(its.hgatp, ARENA_AT + PAGES.hgatp * PAGE, BigInt(ARENA_AT), true));
  return pokes;
}

/** The record that the harness reads. */
export function encodeCase(its: Case, shape: RecordShape): BigUint64Array {
  const at = caseWords(shape);
  const pokes = pokesOf(its);
  const record = new BigUint64Array(at.fixed + 2 * pokes.length);
  const start = windowOf(its, its.mode) + BigInt(its.offset);
  record[at.words] = BigInt(record.length);
  record[at.pokes] = BigInt(pokes.length);
  record[at.codeFrom] = start;
  record[at.codeTo] = start + BigInt(4 * its.slots.length);
  for (const [n, name] of shape.setup.entries()) record[at.csrs + n] = BigInt.asUintN(64, csrOf(its, name));
  for (let n = 1; n < 32; n++) record[at.x + n] = its.x[n] ?? 0n;
  if (shape.floats) {
    for (let n = 0; n < 32; n++) record[at.f + n] = its.f[n] ?? 0n;
    record[at.f + 32] = its.csrs.fcsr ?? 0n;
  }
  for (const [n, [address, value]] of pokes.entries()) {
    record[at.fixed + 2 * n] = BigInt(address);
    record[at.fixed + 2 * n + 1] = BigInt.asUintN(64, value);
  }
  return record;
}

/** Memory of a run at reset: address and bytes of each part. `timeBudget` is in units of mtime (0.1 µs). */
export function encodeBatch(harness: Uint8Array, cases: readonly Case[], shape: RecordShape, timeBudget: number) {
  const records = cases.map((its) => encodeCase(its, shape));
  const all = new BigUint64Array(records.reduce((sum, record) => sum + record.length, 0));
  let at = 0;
  for (const record of records) {
    all.set(record, at);
    at += record.length;
  }
  const state = new BigUint64Array(STATE.x + 32);
  state[STATE.left] = BigInt(cases.length);
  state[STATE.timeBudget] = BigInt(timeBudget);
  return [
    { at: HARNESS_AT, bytes: harness },
    { at: STATE_AT, bytes: new Uint8Array(state.buffer) },
    { at: CASES_AT, bytes: new Uint8Array(all.buffer) },
  ];
}
