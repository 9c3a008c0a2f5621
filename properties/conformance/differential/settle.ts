/**
 * Cases that never end: what of their state changes as they go round, seen tick by tick on our machine. The rest has
 * settled, and must be the same on QEMU whenever its time is up.
 * Relies on rounds being shorter than what is looked at; a longer one shows as a difference that comes and goes.
 */
import type { Machine } from '../../../engine/index.ts';
import { ARENA_AT, PAGE, PAGES } from './layout.ts';

/** Ticks before the first look, and the looks: each tick, then with gaps. */
const WARM_UP = 150_000;
const LOOKS = 400;
const WIDE_LOOKS = 150;
const GAP = 97;

/** Names of result fields that go on changing. `machine` holds the case alone; `recorded` are the CSRs of a result. */
export function unsettled(machine: Machine, recorded: readonly string[]): ReadonlySet<string> {
  machine.run({ ticks: machine.ticks + WARM_UP });
  const changing = new Set<string>();
  const arena = () => machine.readPhysical(ARENA_AT, PAGES.count * PAGE);
  const csrs = () => recorded.map((name) => machine.csr(0, name));
  let before = { hart: machine.hart(0), csrs: csrs(), arena: arena() };
  for (let n = 0; n < LOOKS + WIDE_LOOKS; n++) {
    machine.run({ ticks: machine.ticks + (n < LOOKS ? 1 : GAP) });
    const now = { hart: machine.hart(0), csrs: csrs(), arena: arena() };
    now.hart.x.forEach((value, r) => {
      if (value !== before.hart.x[r]) changing.add(`x${r}`);
    });
    now.hart.f.forEach((value, r) => {
      if (value !== before.hart.f[r]) changing.add(`f${r}`);
    });
    if (now.hart.fcsr !== before.hart.fcsr) changing.add('fcsr');
    now.csrs.forEach((value, r) => {
      if (value !== before.csrs[r]) changing.add(recorded[r]!);
    });
    // What the harness's own trap makes of them when the time is up.
    if (now.hart.pc !== before.hart.pc) changing.add('mepc');
    if (now.hart.mode !== before.hart.mode) changing.add('mstatus');
    changedPages(before.arena, now.arena, changing);
    before = now;
  }
  return changing;
}

function changedPages(before: Uint8Array, now: Uint8Array, changing: Set<string>): void {
  if (Buffer.compare(before, now) === 0) return;
  for (let page = 0; page < PAGES.count; page++) {
    const [from, to] = [page * PAGE, (page + 1) * PAGE];
    if (Buffer.compare(before.subarray(from, to), now.subarray(from, to)) !== 0) changing.add(`page ${page}`);
  }
}
