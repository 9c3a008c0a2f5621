/**
 * Something of each vCPU, and of each VM as a whole. vCPUs are told apart by what sscratch holds while they run, where
 * hypervisors keep their address. Relies on nothing else; a VM for which sscratch has too many values has none here.
 */

/** vCPUs of one VM that are told apart at most; with more, sscratch means something else. */
const MAX_VCPUS = 64;
/** The same of all VMs of a run. */
const MAX_ALL = 4096;

/** Makes what is kept of a vCPU, or of a whole VM: `vcpu` undefined. */
type Create<T> = (vmid: number, vcpu: bigint | undefined) => T;

/** In the order in which VMs and vCPUs were first asked for. */
export class ByVcpu<T> {
  private readonly whole = new Map<number, T>();
  private readonly single = new Map<number, Map<bigint, T> | undefined>();
  private readonly create: Create<T>;
  private left = MAX_ALL;

  constructor(create: Create<T>) {
    this.create = create;
  }

  /** Those that a crossing belongs to: its VM, and its vCPU where there is one. */
  of(vmid: number, vcpu: bigint): T[] {
    let whole = this.whole.get(vmid);
    if (whole === undefined) {
      this.whole.set(vmid, (whole = this.create(vmid, undefined)));
      this.single.set(vmid, new Map());
    }
    const vcpus = this.single.get(vmid);
    if (!vcpus) return [whole];
    let one = vcpus.get(vcpu);
    if (one === undefined && (vcpus.size === MAX_VCPUS || this.left === 0)) this.single.set(vmid, undefined);
    else if (one === undefined) {
      this.left--;
      vcpus.set(vcpu, (one = this.create(vmid, vcpu)));
    }
    return one === undefined ? [whole] : [whole, one];
  }

  /** Of a vCPU; of the whole VM without one. */
  at(vmid: number, vcpu: bigint | undefined): T | undefined {
    return vcpu === undefined ? this.whole.get(vmid) : this.single.get(vmid)?.get(vcpu);
  }

  vms(): Iterable<number> {
    return this.whole.keys();
  }

  /** undefined: there are too many to be vCPUs. */
  vcpusOf(vmid: number): T[] | undefined {
    const vcpus = this.single.get(vmid);
    return vcpus && [...vcpus.values()];
  }
}
