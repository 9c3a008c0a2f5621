/**
 * Whose memory differs: per VM, the moments up to which its recorded digests agree in two runs. Relies on both having
 * been taken at common moments; says nothing about vCPU registers.
 */
import type { Trace } from '../traces/index.ts';

export interface VmComparison {
  readonly vmid: number;
  /** Moments at which both runs have a digest of this VM, up to the first that differs. */
  readonly compared: number;
  readonly lastEqual?: number;
  readonly firstDifferent?: number;
}

/** Joins the VM digests of two traces by VMID and moment. */
export function compareVms(a: Trace, b: Trace): VmComparison[] {
  const ofA = byVm(a);
  const ofB = byVm(b);
  return [...ofA.keys()]
    .sort((x, y) => x - y)
    .map((vmid) => {
      let compared = 0;
      let lastEqual: number | undefined;
      for (const [moment, digest] of ofA.get(vmid)!) {
        const other = ofB.get(vmid)?.get(moment);
        if (other === undefined) continue;
        compared++;
        if (other !== digest)
          return { vmid, compared, ...(lastEqual !== undefined && { lastEqual }), firstDifferent: moment };
        lastEqual = moment;
      }
      return { vmid, compared, ...(lastEqual !== undefined && { lastEqual }) };
    });
}

/** VMID → moment → digest. */
function byVm({ vmDigests }: Trace): Map<number, Map<number, bigint>> {
  const vms = new Map<number, Map<number, bigint>>();
  for (const { vmid, moment, digest } of vmDigests) {
    const digests = vms.get(vmid) ?? new Map<number, bigint>();
    vms.set(vmid, digests.set(moment, digest));
  }
  return vms;
}

/** One line per VM that differs. */
export function vmLines(vms: readonly VmComparison[]): string[] {
  return vms.flatMap(({ vmid, lastEqual, firstDifferent }) => {
    if (firstDifferent === undefined) return [];
    const since = lastEqual === undefined ? 'never equal' : `equal up to moment ${lastEqual}`;
    return [`memory of VM ${vmid}: ${since}, different at moment ${firstDifferent}`];
  });
}
