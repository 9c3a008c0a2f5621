/**
 * The papers' criterion of NetBench: reception must not drop by more than 10 % in any window. A packet counts for the
 * window in which it was sent; its answer counts if it leaves in time. Packets and answers are matched by their number.
 * Judges lists of positions; what a packet looks like is sender.ts's business.
 */

/** A numbered packet, or the answer to it, at a virtual time. */
export interface Numbered {
  readonly ticks: number;
  readonly sequence: number;
}

export interface ReceptionRule {
  readonly windowTicks: number;
  /** An answer that leaves later than this after its packet is lost. */
  readonly patienceTicks: number;
}

/** The worst window: where it begins, and the share of its packets that were answered, 0 … 1. */
export interface Reception {
  readonly ok: boolean;
  readonly sent: number;
  readonly answered: number;
  readonly worst: { readonly fromTicks: number; readonly share: number } | undefined;
}

const NEEDED_SHARE = 0.9;

/**
 * Judges packets against answers. Windows follow each other from the first packet on; the last one, which may be
 * shorter, counts when it holds at least half as many packets as a full one.
 */
export function judgeReception(
  sent: readonly Numbered[],
  answers: readonly Numbered[],
  rule: ReceptionRule,
): Reception {
  const first = new Map<number, number>();
  for (const { sequence, ticks } of answers) if (!first.has(sequence)) first.set(sequence, ticks);
  const start = sent[0]?.ticks ?? 0;
  const windows: { sent: number; answered: number }[] = [];
  for (const { sequence, ticks } of sent) {
    const window = (windows[Math.floor((ticks - start) / rule.windowTicks)] ??= { sent: 0, answered: 0 });
    const answer = first.get(sequence);
    window.sent++;
    if (answer !== undefined && answer >= ticks && answer - ticks <= rule.patienceTicks) window.answered++;
  }
  const full = Math.max(0, ...windows.filter(Boolean).map((window) => window.sent));
  let worst: Reception['worst'];
  for (const [n, window] of windows.entries()) {
    // A hole in the sender's plan, or a last window with few packets: a share of few says little.
    if (!window || window.sent * 2 < full) continue;
    const share = window.answered / window.sent;
    if (!worst || share < worst.share) worst = { fromTicks: start + n * rule.windowTicks, share };
  }
  const total = windows.reduce((sum, window) => sum + (window?.answered ?? 0), 0);
  return { ok: (worst?.share ?? 1) >= NEEDED_SHARE, sent: sent.length, answered: total, worst };
}
