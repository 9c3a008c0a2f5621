/**
 * VM-state equivalence of VMs with several vCPUs, which any hart may run: each vCPU is compared with itself. Injections
 * into the set-up `team`; what a campaign says of one is what is said of its trace. Relies on the committed images.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { hex, listVms, NOTES, parseFault } from '../../../engine/index.ts';
import { vmEquivalence } from '../../../replay/index.ts';
import { openTrace } from '../../../traces/index.ts';
import { withInputs } from './golden.ts';
import {
  bootSetup,
  completeMechanism,
  findSetup,
  type GoldenRun,
  goldenRun,
  type Injection,
  recordInjection,
  runInjection,
} from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-vcpus-'));
afterAll(() => rmSync(folder, { recursive: true }));

const booted = bootSetup(findSetup('team'));
const failstop = (run: GoldenRun, share: number): Injection => ({
  trigger: { kind: 'two-level', ticks: run.up.ticks + Math.floor(share * (run.end.ticks - run.up.ticks)), k: 60 },
  fault: parseFault('failstop'),
});

async function traceOf(run: GoldenRun, injection: Injection, name: string) {
  const path = join(folder, `${name}.djvm`);
  await recordInjection(run, injection, runInjection(run, injection), { path });
  return openTrace(path);
}

describe.each(['rehype', 'nilihype'] as const)('several vCPUs, %s', (recovery) => {
  const mechanism = completeMechanism(recovery);
  const golden = goldenRun(booted, mechanism);

  it('are each resumed as they were left, whenever the hypervisor fails', () => {
    const results = Array.from({ length: 8 }, (_, n) => runInjection(golden, failstop(golden, (n + 1) / 10)));
    expect(results.filter(({ success }) => success).length).toBeGreaterThan(5);
    for (const { success, equivalence } of results)
      if (success) expect(equivalence).toEqual({ equivalent: true, reasons: [] });
  });

  it('are not compared where their guest has stopped them, and they were started again', async () => {
    const { equivalent, vms } = vmEquivalence(await traceOf(golden, failstop(golden, 0.4), `${recovery}-stopped`));
    expect(equivalent).toBe(true);
    expect(vms.map(({ vcpusCompared }) => vcpusCompared)).toEqual([1, 1, 1]);
  });

  it('are told apart where one of them is changed', async () => {
    const injection = failstop(golden, 0.8);
    const clean = await traceOf(golden, injection, `${recovery}-clean`);
    const before = vmEquivalence(clean);
    expect(before).toMatchObject({ equivalent: true, reasons: [] });
    expect(before.vms.map(({ vcpusCompared }) => vcpusCompared)).toEqual([1, 4, 1]);

    // The saved x20 of the third vCPU, right before the VMs are resumed.
    const resumed = clean.notes.find(({ code }) => code === NOTES.RESUMED.code)!;
    const { machine, symbols } = booted;
    golden.timeline.toTicks(resumed.ticks, 'pending');
    const vm = listVms(machine, symbols.hypervisor).vms.find(({ name }) => name === 'vm2')!;
    const { address } = vm.vcpus[2]!;
    const poke = { kind: 'poke', paddr: address + 20 * 8 + 7, bytes: Uint8Array.of(0x5a) } as const;
    const poked = withInputs(golden, mechanism, [{ ticks: resumed.ticks - 20, event: poke }]);
    // It is inside a call: as its registers are not those that got the answer, neither is its pc.
    const reason = `vm2: vCPU ${hex(address)}: x20, pc changed`;
    expect(runInjection(poked, injection).equivalence).toEqual({
      equivalent: false,
      reasons: [reason],
    });
    const verdict = vmEquivalence(await traceOf(poked, injection, `${recovery}-poked`));
    expect(verdict.reasons).toEqual([reason]);
    expect(verdict.vms[1]).toMatchObject({
      resumedAs: 'changed',
      memoryEqual: true,
      registerDifferences: [
        { vcpu: BigInt(address), name: 'x20' },
        { vcpu: BigInt(address), name: 'pc' },
      ],
    });
  });
});
