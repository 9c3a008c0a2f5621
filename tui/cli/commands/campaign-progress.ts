/**
 * How far a campaign is. On a terminal: a bar with rate and time to go, and below it the cells under way with their
 * rates so far, redrawn in place. Elsewhere: a plain line every ten seconds. Goes to standard error.
 */
import { type CampaignPlan, type CampaignProgress, type CellTally, cellLabel } from '../../../properties/index.ts';
import { grouped, type Io } from '../../base/index.ts';

export interface ProgressDisplay {
  readonly show: (progress: CampaignProgress) => void;
  /** Removes what is on the terminal. */
  readonly end: () => void;
}

const REDRAW_MS = 200;
const LINE_MS = 10_000;
const BAR_COLUMNS = 20;
const CELLS_SHOWN = 6;

export function campaignProgress(io: Io, plan: CampaignPlan): ProgressDisplay {
  let phase = '';
  let beganMs = 0;
  let shownMs = 0;
  return {
    show(progress) {
      const nowMs = Date.now();
      if (progress.phase !== phase) {
        phase = progress.phase;
        beganMs = nowMs;
        shownMs = io.errIsTerminal ? 0 : nowMs;
      }
      if (nowMs - shownMs < (io.errIsTerminal ? REDRAW_MS : LINE_MS)) return;
      shownMs = nowMs;
      const head = headLine(progress, nowMs - beganMs, io.errIsTerminal);
      if (io.errIsTerminal) io.status([head, ...cellLines(plan, progress.tallies)]);
      else io.err(`dejavm: ${head}\n`);
    },
    end: () => io.status([]),
  };
}

/** `injections [####----] 1,200 of 5,000 (24 %), 35.1 rows/s, 1 min 48 s to go`. */
export function headLine({ phase, done, total }: CampaignProgress, elapsedMs: number, bar: boolean): string {
  const share = total === 0 ? 1 : done / total;
  const filled = Math.round(share * BAR_COLUMNS);
  const drawn = bar ? ` [${'#'.repeat(filled)}${'-'.repeat(BAR_COLUMNS - filled)}]` : '';
  const count = `${grouped(done)} of ${grouped(total)} (${Math.floor(share * 100)} %)`;
  if (done === 0 || elapsedMs <= 0) return `${phase}${drawn} ${count}`;
  const perSecond = (done * 1000) / elapsedMs;
  const rate = phase === 'injections' ? `, ${perSecond.toFixed(1)} rows/s` : '';
  return `${phase}${drawn} ${count}${rate}, ${duration((total - done) / perSecond)} to go`;
}

/** The cells that are under way, then those finished last. */
function cellLines(plan: CampaignPlan, tallies: ReadonlyMap<number, CellTally>): string[] {
  const begun = plan.cells.filter(({ id }) => tallies.get(id)!.done > 0);
  const underWay = begun.filter(({ id }) => tallies.get(id)!.done < tallies.get(id)!.size);
  const shown = new Set([...begun.filter((cell) => !underWay.includes(cell)), ...underWay].slice(-CELLS_SHOWN));
  return begun
    .filter((cell) => shown.has(cell))
    .map((cell) => {
      const { done, size, detected, success, noVmf, sdc } = tallies.get(cell.id)!;
      const share = (n: number) => (detected === 0 ? '-' : `${((n / detected) * 100).toFixed(1)} %`);
      const rates = `success ${share(success)}, noVMF ${share(noVmf)} of ${grouped(detected)} detected, SDC ${grouped(sdc)}`;
      return `  ${cellLabel(cell)}: ${grouped(done)}/${grouped(size)}, ${rates}`;
    });
}

/** 4000 -> "1 h 6 min". */
export function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
