/** Why a recording ended: as its end record says it, and for people. */
import { haltText, STUCK_CODE, type StopReason } from '../../engine/index.ts';
import type { Trace, TraceEnd } from '../../traces/index.ts';

/** As the end record says it: "halted pass 0", "idle", "moment". */
export const endReason = (stop: StopReason): string =>
  stop.kind === 'halted' ? `halted ${stop.status} ${stop.code}` : stop.kind;

/** The reason of a cut that ends before the recording does. */
export const CUT_END = 'cut';

/** Whether a trace ends where it was cut: of what the run did behind that it says nothing. */
export const isCutShort = ({ end }: Pick<Trace, 'end'>): boolean => end?.reason === CUT_END;

const STUCK = { kind: 'halted', status: 'fail', code: STUCK_CODE } as const;

/** For people: the reason, but where its number says that nothing but traps happened. */
export const endText = ({ reason }: Pick<TraceEnd, 'reason'>): string =>
  reason === endReason(STUCK) ? `halted ${haltText(STUCK)}` : reason;
