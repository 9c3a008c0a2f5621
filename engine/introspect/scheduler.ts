/**
 * A hypervisor's locks and run queues, as its image publishes them: `static_locks` to `static_locks_end` are pointers
 * to locks (layout.spinlock.owner: hart + 1, 0 when free; .name), `cpus` is one structure per hart
 * (layout.cpu.current, .loaded, .queue_head), vCPUs are queued by layout.vcpu.queue_next. Relies on physical memory
 * and symbols. The hypervisor may be broken: whatever is wrong becomes a line in `problems`.
 */
import { followList } from './lists.ts';
import { asAddress, hex, isRam, readText, readU32, readU64 } from './memory.ts';
import type { SymbolTable } from './symbols.ts';
import type { Inspected, VmList } from './vms.ts';

export interface LockInfo {
  /** As it calls itself, or as its symbol does. */
  readonly name: string;
  readonly paddr: number;
  /** Hart that holds it; undefined: it is free. */
  readonly owner: number | undefined;
}

export interface LockList {
  readonly locks: readonly LockInfo[];
  /** What looked corrupt; what the image does not publish. */
  readonly problems: readonly string[];
}

/** A vCPU as schedulers name it. */
export interface QueuedVcpu {
  readonly paddr: number;
  /** Of its VM; undefined: no domain has such a vCPU. */
  readonly vmid: number | undefined;
  readonly name: string | undefined;
  readonly state: string | undefined;
}

export interface HartSchedule {
  readonly hart: number;
  /** The vCPU that it runs; undefined: none. */
  readonly current: QueuedVcpu | undefined;
  /** The one whose VS CSRs are in the hart; undefined: none. */
  readonly loaded: QueuedVcpu | undefined;
  readonly queue: readonly QueuedVcpu[];
}

export interface Schedule {
  readonly harts: readonly HartSchedule[];
  readonly problems: readonly string[];
}

const MAX_LOCKS = 256;
const MAX_QUEUED = 256;
const NAME_BYTES = 24;

/** The static locks, and each domain's. `list`: the VMs at the same moment. */
export function readLocks(machine: Inspected, hypervisor: SymbolTable | undefined, list: VmList): LockList {
  const published = new Published(hypervisor);
  const [owner, name] = [published.offset('spinlock.owner'), published.offset('spinlock.name')];
  if (owner === undefined) return { locks: [], problems: [published.lacks('layout.spinlock.owner', 'locks')] };
  const problems: string[] = [];
  const lockAt = (paddr: number, known: string | undefined): LockInfo => {
    const holder = readU32(machine, paddr + owner) ?? 0;
    if (holder > machine.config.harts) problems.push(`lock at ${hex(paddr)}: its owner is ${holder}, and no hart`);
    const own = name === undefined ? undefined : readText(machine, paddr + name, NAME_BYTES);
    return { name: own || known || hex(paddr), paddr, owner: holder === 0 ? undefined : holder - 1 };
  };
  const statics = staticLocks(machine, published, problems);
  const inDomain = published.offset('domain.lock');
  const ofDomains = list.vms.flatMap(({ address, name: vm }) =>
    address === undefined || inDomain === undefined
      ? []
      : [{ ...lockAt(address + inDomain, undefined), name: `${vm} lock` }],
  );
  const named = statics.map((paddr) => lockAt(paddr, hypervisor?.describe(BigInt(paddr))));
  return { locks: [...named, ...ofDomains], problems };
}

function staticLocks(machine: Inspected, published: Published, problems: string[]): number[] {
  const [start, end] = [published.place('static_locks'), published.place('static_locks_end')];
  if (start === undefined || end === undefined || end < start) {
    problems.push(published.lacks('static_locks and static_locks_end', 'static locks'));
    return [];
  }
  const count = Math.min(MAX_LOCKS, Math.floor((end - start) / 8));
  const found: number[] = [];
  for (let n = 0; n < count; n++) {
    const pointer = readU64(machine, start + 8 * n) ?? 0n;
    const paddr = asAddress(pointer);
    if (paddr !== undefined && isRam(machine, paddr, 8)) found.push(paddr);
    else problems.push(`static_locks[${n}] is ${hex(pointer)}, outside RAM`);
  }
  return found;
}

/** What each hart runs, and what waits for it. `list`: the VMs at the same moment. */
export function readSchedule(machine: Inspected, hypervisor: SymbolTable | undefined, list: VmList): Schedule {
  const published = new Published(hypervisor);
  const cpus = published.place('cpus');
  const [size, current] = [published.offset('cpu.size'), published.offset('cpu.current')];
  if (cpus === undefined || size === undefined || current === undefined) {
    return { harts: [], problems: [published.lacks('cpus, layout.cpu.size and layout.cpu.current', 'run queues')] };
  }
  const problems: string[] = [];
  const [loaded, head] = [published.offset('cpu.loaded'), published.offset('cpu.queue_head')];
  const next = published.offset('vcpu.queue_next');
  const vcpuBytes = published.offset('vcpu.size') ?? 8;
  const vcpuAt = (paddr: number): QueuedVcpu => {
    const vm = list.vms.find(({ vcpus }) => vcpus.some(({ address }) => address === paddr));
    const state = vm?.vcpus.find(({ address }) => address === paddr)?.state;
    return { paddr, vmid: vm?.vmid, name: vm?.name, state };
  };
  const follow = (link: number | undefined, by: number | undefined, what: string): QueuedVcpu[] => {
    if (link === undefined) return [];
    const chain = { head: link, next: by, extent: vcpuBytes, limit: MAX_QUEUED, what };
    return followList(machine, chain, problems).map(vcpuAt);
  };
  const harts = Array.from({ length: machine.config.harts }, (_, hart) => {
    const cpu = cpus + hart * size;
    const at = (offset: number | undefined) => (offset === undefined ? undefined : cpu + offset);
    return {
      hart,
      current: follow(at(current), undefined, `hart ${hart}: current vCPU`)[0],
      loaded: follow(at(loaded), undefined, `hart ${hart}: loaded vCPU`)[0],
      queue: next === undefined ? [] : follow(at(head), next, `hart ${hart}: run queue`),
    };
  });
  return { harts, problems };
}

/** What a word decides: who may go on, or what runs next. */
export interface Decision {
  readonly by: 'lock' | 'scheduler';
  /** `lock heap_lock, held by hart 1`, `hart 0: current`, `vCPU of VM 2: queue_next`. */
  readonly text: string;
}

/** Fields by which schedulers choose. */
const CHOSEN_BY = { cpu: ['current', 'loaded', 'queue_head'], vcpu: ['state', 'hart', 'queue_next'] } as const;

/**
 * What lies at a physical address, when it is a lock's word or one that the scheduler goes by; undefined: neither.
 * `list`: the VMs at the same moment.
 */
export function decisionAt(
  machine: Inspected,
  hypervisor: SymbolTable | undefined,
  list: VmList,
  paddr: number,
): Decision | undefined {
  const published = new Published(hypervisor);
  const lockBytes = published.offset('spinlock.size') ?? 4;
  const lock = readLocks(machine, hypervisor, list).locks.find((one) => isIn(paddr, one.paddr, lockBytes));
  if (lock) {
    const holder = lock.owner === undefined ? 'free' : `held by hart ${lock.owner}`;
    return { by: 'lock', text: `lock ${lock.name}, ${holder}` };
  }
  const fieldOf = (structure: keyof typeof CHOSEN_BY, base: number): string | undefined =>
    CHOSEN_BY[structure].find((name) => {
      const offset = published.offset(`${structure}.${name}`);
      return offset !== undefined && isIn(paddr, base + offset, 8);
    });
  const [cpus, size] = [published.place('cpus'), published.offset('cpu.size')];
  for (let hart = 0; cpus !== undefined && size !== undefined && hart < machine.config.harts; hart++) {
    const field = fieldOf('cpu', cpus + hart * size);
    if (field) return { by: 'scheduler', text: `hart ${hart}: ${field}` };
  }
  for (const { vmid, vcpus } of list.vms) {
    for (const { address } of vcpus) {
      const field = address === undefined ? undefined : fieldOf('vcpu', address);
      if (field) return { by: 'scheduler', text: `vCPU of VM ${vmid}: ${field}` };
    }
  }
  return undefined;
}

const isIn = (paddr: number, from: number, bytes: number): boolean => paddr >= from && paddr < from + bytes;

/** Offsets of bounded structures, and places, that an image publishes. */
class Published {
  private readonly symbols: SymbolTable | undefined;
  private readonly offsets: ReadonlyMap<string, bigint>;

  constructor(symbols: SymbolTable | undefined) {
    this.symbols = symbols;
    this.offsets = symbols?.absolutes('layout.') ?? new Map();
  }

  offset(name: string): number | undefined {
    const value = this.offsets.get(name);
    return value !== undefined && value < MAX_STRUCT_BYTES ? Number(value) : undefined;
  }

  place(name: string): number | undefined {
    const address = this.symbols?.loadAddress(name);
    return address === undefined ? undefined : asAddress(address);
  }

  lacks(names: string, what: string): string {
    const image = this.symbols?.image ?? 'the hypervisor';
    return `${image} does not publish ${names}: its ${what} are not known`;
  }
}

/** Structures larger than this are taken for a corrupt symbol table. */
const MAX_STRUCT_BYTES = 1n << 16n;
