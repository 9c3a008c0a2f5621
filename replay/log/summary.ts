/**
 * How often things happen in a run and how long they take: per kind, and for each VM the time inside it and the time
 * that its harts spend outside on its behalf, by why it was left. Like `perf kvm stat`, for any hypervisor.
 * Relies on entries in order, exits, entries and hypercalls among them. Holds a bounded number of rows.
 *
 * There are two clocks. A hart's own time counts what it executes: one tick for each instruction and each trap. Virtual
 * time goes on also while other harts have their turns, and while all wait.
 */
import type { Moment, Ticks } from '../../engine/index.ts';
import type { LogCall, LogEntry, LogKind } from './types.ts';

/** How long something takes, and how often it happened. In ticks. */
export interface LogTime {
  readonly name: string;
  readonly count: number;
  /** The hart's own time. */
  readonly hartTicks: Ticks;
  readonly longest: Ticks;
  /** Where the longest one began. */
  readonly longestAt: Moment;
  /** Virtual time. */
  readonly ticks: Ticks;
}

export interface VmSummary {
  readonly vmid: number;
  /** Stays inside the VM, each from an entry to the next exit. */
  readonly inside: LogTime;
  /** From each exit to the next entry of any VM on that hart, by cause or by what was asked for. */
  readonly outside: readonly LogTime[];
}

export interface LogSummary {
  readonly kinds: readonly { readonly kind: LogKind; readonly count: number }[];
  /** By VMID. */
  readonly vms: readonly VmSummary[];
  /** SBI calls of the hypervisor, from ecall to return. */
  readonly sbi: readonly LogTime[];
}

/** Rows at most; what comes after is counted together. A guest can make up calls without end. */
const MAX_ROWS = 4096;
const REST = 'others';

interface Row {
  readonly name: string;
  count: number;
  hartTicks: number;
  longest: number;
  longestAt: number;
  ticks: number;
}
type Rows = Map<string, Row>;

/** What a hart is doing since when; `cause`: it is outside a VM, which was left for that. */
interface Doing {
  readonly since: LogEntry;
  readonly cause?: string;
}

export class LogSummarizer {
  private readonly kinds = new Map<LogKind, number>();
  private readonly vms = new Map<number, { readonly inside: Row; readonly outside: Rows }>();
  private readonly sbi: Rows = new Map();
  /** SBI calls that had not ended when they were told. */
  private readonly harts = new Map<number, Doing>();
  private rows = 0;

  /** Takes the next entry. `counts`: it is one of those that were asked for. */
  add(entry: LogEntry, counts = true): void {
    const { kind, hart } = entry;
    if (counts) this.kinds.set(kind, (this.kinds.get(kind) ?? 0) + 1);
    if (kind === 'reset') this.harts.clear();
    if (hart === undefined) return;
    if (kind === 'exit') {
      this.close(hart, entry);
      this.harts.set(hart, { since: entry, cause: entry.cause!.name });
    } else if (kind === 'hypercall') {
      const doing = this.harts.get(hart);
      if (doing) this.harts.set(hart, { since: doing.since, cause: `call ${entry.call!.name}` });
    } else if (kind === 'entry') {
      this.close(hart, entry);
      this.harts.set(hart, { since: entry });
    } else if (kind === 'sbi') this.addCall(entry, entry.call!);
  }

  /** What has been counted so far; names by time, the longest first. */
  get summary(): LogSummary {
    const byTime = (rows: Rows): LogTime[] =>
      [...rows.values()].sort((a, b) => b.hartTicks - a.hartTicks || (a.name < b.name ? -1 : 1));
    return {
      kinds: [...this.kinds].map(([kind, count]) => ({ kind, count })),
      vms: [...this.vms]
        .sort(([a], [b]) => a - b)
        .map(([vmid, { inside, outside }]) => ({ vmid, inside, outside: byTime(outside) })),
      sbi: byTime(this.sbi),
    };
  }

  private vm(vmid: number): { readonly inside: Row; readonly outside: Rows } {
    let vm = this.vms.get(vmid);
    if (!vm) this.vms.set(vmid, (vm = { inside: newRow('inside'), outside: new Map() }));
    return vm;
  }

  private rowOf(rows: Rows, name: string): Row {
    const found = rows.get(name) ?? (this.rows >= MAX_ROWS ? rows.get(REST) : undefined);
    if (found) return found;
    const row = newRow(this.rows >= MAX_ROWS ? REST : name);
    this.rows++;
    rows.set(row.name, row);
    return row;
  }

  /** What a hart did until now ends. */
  private close(hart: number, now: LogEntry): void {
    const doing = this.harts.get(hart);
    if (!doing) return;
    const vm = this.vm(doing.since.vmid!);
    addTime(doing.cause === undefined ? vm.inside : this.rowOf(vm.outside, doing.cause), doing.since, now);
  }

  private addCall(entry: LogEntry, { name, result }: LogCall): void {
    const row = this.rowOf(this.sbi, name);
    if (result) addTime(row, entry, result);
    else row.count++;
  }
}

const newRow = (name: string): Row => ({ name, count: 0, hartTicks: 0, longest: 0, longestAt: 0, ticks: 0 });

function addTime(row: Row, from: LogEntry, to: Pick<LogEntry, 'ticks' | 'work'>): void {
  const spent = to.work! - from.work!;
  row.count++;
  row.hartTicks += spent;
  row.ticks += to.ticks - from.ticks;
  if (spent <= row.longest) return;
  row.longest = spent;
  row.longestAt = from.moment;
}
