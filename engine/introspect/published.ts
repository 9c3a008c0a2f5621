/**
 * What a hypervisor's image publishes about its structures: absolute symbols `layout.<struct>.<field>` are byte
 * offsets, `layout.vcpu_state.<name>` are values, `domain_list` is the pointer to the first domain;
 * `layout.hypercall.<name>` is the number of a call, `layout.hypercall_arguments.<name>` how many arguments it takes.
 * Relies on the symbols alone. Does not check that offsets and structures agree: readers bound every access.
 */
import type { SymbolTable } from './symbols.ts';

/** Offsets in bytes. Fields read as 32 bits may be wider: little-endian, and their values are small. */
export interface PublishedLayout {
  /** Physical address of the pointer to the first domain. */
  readonly domainList: number;
  readonly domain: {
    readonly next: number;
    readonly vmid: number;
    /** char[16]. */
    readonly name: number;
    readonly state: number;
    readonly hgatp: number;
    /** Pointer to the first vCPU. */
    readonly vcpu: number;
  };
  readonly domainBytes: number;
  readonly vcpu: {
    readonly domain: number;
    readonly state: number;
    /** Signed: -1 = on no hart. */
    readonly hart: number;
    readonly pc: number;
    /** u64[32]. */
    readonly x: number;
    /** Pointer to the domain's next vCPU; absent when a domain has only one. */
    readonly next: number | undefined;
  };
  readonly vcpuBytes: number;
  /** Names of `vcpu.state` values. */
  readonly vcpuStates: ReadonlyMap<number, string>;
  /** Names of `domain.state` values; empty when not published. */
  readonly domainStates: ReadonlyMap<number, string>;
  /** Every published field of a structure by ascending offset, for naming an address inside one. */
  readonly fields: { readonly domain: readonly NamedOffset[]; readonly vcpu: readonly NamedOffset[] };
}
export interface NamedOffset {
  readonly name: string;
  readonly offset: number;
}

/** Structures larger than this are taken for a corrupt symbol table. */
const MAX_STRUCT_BYTES = 1 << 16;

/** Symbols do not change, and VMs are listed at many moments. */
const READ = new WeakMap<SymbolTable, PublishedLayout | string>();

/** Reads the published layout; a text that says what is missing when the image publishes none or not all of it. */
export function readPublishedLayout(symbols: SymbolTable): PublishedLayout | string {
  const known = READ.get(symbols) ?? readLayout(symbols);
  READ.set(symbols, known);
  return known;
}

function readLayout(symbols: SymbolTable): PublishedLayout | string {
  const published = symbols.absolutes('layout.');
  if (published.size === 0) return `${symbols.image} publishes no layout.* symbols`;
  const list = symbols.loadAddress('domain_list');
  const missing: string[] = list === undefined ? ['domain_list'] : [];
  const offset = (name: string): number => {
    const value = published.get(name);
    if (value !== undefined && value < MAX_STRUCT_BYTES) return Number(value);
    missing.push(`layout.${name}`);
    return 0;
  };
  const optional = (name: string) => (published.has(name) ? offset(name) : undefined);
  const struct = (name: string) => namedOffsets(published, name);
  const layout: PublishedLayout = {
    domainList: Number(list ?? 0n),
    domain: {
      next: offset('domain.next'),
      vmid: offset('domain.vmid'),
      name: offset('domain.name'),
      state: offset('domain.state'),
      hgatp: offset('domain.hgatp'),
      vcpu: offset('domain.vcpu'),
    },
    domainBytes: optional('domain.size') ?? 0,
    vcpu: {
      domain: offset('vcpu.domain'),
      state: offset('vcpu.state'),
      hart: offset('vcpu.hart'),
      pc: offset('vcpu.pc'),
      x: offset('vcpu.x'),
      next: optional('vcpu.next'),
    },
    vcpuBytes: optional('vcpu.size') ?? 0,
    vcpuStates: names(published, 'vcpu_state.'),
    domainStates: names(published, 'domain_state.'),
    fields: { domain: struct('domain'), vcpu: struct('vcpu') },
  };
  return missing.length > 0 ? `${symbols.image} does not publish ${missing.join(', ')}` : layout;
}

/** A call that a hypervisor offers its VMs. */
export interface PublishedCall {
  readonly name: string;
  /** How many arguments it takes, if that is published. */
  readonly arguments?: number;
}

/** A call has as many registers for arguments. */
const MAX_ARGUMENTS = 7;

/** Calls by their numbers; none when the image publishes none. */
export function readPublishedCalls(symbols: SymbolTable): ReadonlyMap<bigint, PublishedCall> {
  const counts = symbols.absolutes('layout.hypercall_arguments.');
  return new Map(
    [...symbols.absolutes('layout.hypercall.')].map(([name, number]) => {
      const count = counts.get(name);
      return [number, { name, ...(count !== undefined && count <= MAX_ARGUMENTS && { arguments: Number(count) }) }];
    }),
  );
}

function names(published: ReadonlyMap<string, bigint>, prefix: string): Map<number, string> {
  const found = [...published].filter(([name]) => name.startsWith(prefix));
  return new Map(found.map(([name, value]) => [Number(value), name.slice(prefix.length)]));
}

function namedOffsets(published: ReadonlyMap<string, bigint>, struct: string): NamedOffset[] {
  return [...published]
    .filter(([name]) => name.startsWith(`${struct}.`) && name !== `${struct}.size`)
    .map(([name, offset]) => ({ name: name.slice(struct.length + 1), offset: Number(offset) }))
    .sort((a, b) => a.offset - b.offset || (a.name < b.name ? -1 : 1));
}
