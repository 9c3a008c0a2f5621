/** A hart's registers as they are in linear memory. */
import { modeOf, vmidOf } from './events.ts';
import { H } from './state/index.ts';
import type { HartState } from './types.ts';

/** `base`: address of the hart's block. */
export function readHart(view: DataView, base: number): HartState {
  const u64 = (offset: number) => view.getBigUint64(base + offset, true);
  const u32 = (offset: number) => view.getUint32(base + offset, true);
  return {
    x: Array.from({ length: 32 }, (_, register) => u64(H.x + 8 * register)),
    f: Array.from({ length: 32 }, (_, register) => u64(H.f + 8 * register)),
    fcsr: Number(u64(H.fcsr)),
    pc: u64(H.pc),
    mode: modeOf(u32(H.priv) | (u32(H.virt) << 2)),
    waiting: u32(H.waiting) !== 0,
    instret: u64(H.instret),
    vmid: vmidOf(u64(H.hgatp)),
  };
}
