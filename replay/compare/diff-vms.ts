/**
 * Whose memory differs: per VM, the moments up to which its recorded digests agree in two runs. Relies on both having
 * been taken at common moments; says nothing about vCPU registers.
 */
import { type Trace, TraceError } from '../../traces/index.ts';
import { MAX_VMID } from '../base/index.ts';

export interface VmComparison {
  readonly vmid: number;
  /** Moments at which both runs have a digest of this VM, up to the first that differs. */
  readonly compared: number;
  readonly lastEqual?: number;
  readonly firstDifferent?: number;
}

/** Joins the VM digests of two traces by VMID and moment. Holds one moment of each at a time. */
export function compareVms(a: Trace, b: Trace): VmComparison[] {
  const found = new Map<number, Mutable<VmComparison>>();
  const [momentsA, momentsB] = [byMoment(a), byMoment(b)];
  let ofB = momentsB.next().value;
  for (const ofA of momentsA) {
    while (ofB && ofB.moment < ofA.moment) ofB = momentsB.next().value;
    const others = ofB?.moment === ofA.moment ? ofB.digests : undefined;
    for (const [vmid, digest] of ofA.digests) {
      const vm = found.get(vmid) ?? { vmid, compared: 0 };
      found.set(vmid, vm);
      const other = others?.get(vmid);
      if (other === undefined || vm.firstDifferent !== undefined) continue;
      vm.compared++;
      if (other === digest) vm.lastEqual = ofA.moment;
      else vm.firstDifferent = ofA.moment;
    }
  }
  return [...found.values()].sort((x, y) => x.vmid - y.vmid);
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
/** VMID → digest. */
type VmDigests = Map<number, bigint>;

function* byMoment({ vmDigests, path }: Trace): Generator<{ moment: number; digests: VmDigests }, undefined> {
  let digests: VmDigests = new Map();
  let moment = 0;
  for (const at of vmDigests) {
    if (at.vmid > MAX_VMID)
      throw new TraceError('damaged', path, `it has a digest of VM ${at.vmid}: VMIDs have 14 bits`);
    if (at.moment !== moment && digests.size > 0) {
      yield { moment, digests };
      digests = new Map();
    }
    moment = at.moment;
    digests.set(at.vmid, at.digest);
  }
  if (digests.size > 0) yield { moment, digests };
  return undefined;
}

/** One line per VM that differs. */
export function vmLines(vms: readonly VmComparison[]): string[] {
  return vms.flatMap(({ vmid, lastEqual, firstDifferent }) => {
    if (firstDifferent === undefined) return [];
    const since = lastEqual === undefined ? 'never equal' : `equal up to moment ${lastEqual}`;
    return [`memory of VM ${vmid}: ${since}, different at moment ${firstDifferent}`];
  });
}
