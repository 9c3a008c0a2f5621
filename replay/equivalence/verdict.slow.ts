import { afterAll, describe, expect, it } from 'vitest';
import { hex, NOTES, readOwnership } from '../../engine/index.ts';
import type { Trace } from '../../traces/index.ts';
import { bisectTraces } from '../compare/bisect.ts';
import { openTimeline, type TraceTimeline } from '../timeline/index.ts';
import { failstop, noteOf, openStudio, poke } from './testing.ts';
import { vmEquivalence } from './verdict.ts';

const studio = openStudio();
afterAll(() => studio.close());

/** Failstop in the hypervisor, at instructions that lie far apart. */
const FAULTS = [
  { after: 1_300_000, k: 3 },
  { after: 1_550_000, k: 150 },
  { after: 1_800_000, k: 420 },
  { after: 2_250_000, k: 60 },
];

describe.each([1, 2, 4])('Lazarus on %i harts', async (harts) => {
  const golden = await studio.record([], { harts });

  it.each(FAULTS)(
    'fails after moment $after + $k: found exactly, and every VM goes on where it stood',
    async ({ after, k }) => {
      const faulted = await studio.record([failstop({ kind: 'hypervisor', after, k })], { harts });
      const [input] = faulted.inputs;
      const found = bisectTraces(golden, faulted);
      expect(found).toMatchObject({ identical: false, moment: input!.moment, ticks: input!.ticks });
      expect(found.cause).toBe(`input: only B has fault failstop,hart=${found.hart}`);
      expect(found.symbol).toMatch(/^[a-z_]+/);
      expect(found.differences).toMatchObject([
        { where: `hart${found.hart}.pc`, a: found.pc, b: 0n, symbol: found.symbol },
      ]);

      const verdict = vmEquivalence(faulted, golden);
      expect(verdict.reasons).toEqual([]);
      expect(verdict.equivalent).toBe(true);
      expect(verdict.detectedAt).toBe(noteOf(faulted, 'DETECTED_TRAP').moment);
      expect(verdict.resumedAt).toBe(noteOf(faulted, 'RESUMED').moment);
      expect(verdict.vms.map(({ name, outputEqual }) => [name, outputEqual])).toEqual([
        ['vm1', true],
        ['vm2', true],
      ]);
      // Without the golden run the answer to a completed hypercall is taken on trust, everything else is the same.
      expect(vmEquivalence(faulted).vms.map((vm) => vm.memoryEqual && vm.registersEqual)).toEqual([true, true]);
    },
  );
});

describe('a recovery that changes a VM', async () => {
  const golden = await studio.record([]);
  const fault = failstop({ kind: 'hypervisor', after: 1_750_000, k: 20 });
  const clean = await studio.record([fault]);
  const resumed = noteOf(clean, 'RESUMED').moment;
  /** Detected, and no VM runs any more: until then its memory changes by its own doing. */
  const early = noteOf(clean, 'FROZEN').moment + 1;
  /** Right before the resumption, when recovery has done its work. */
  const late = resumed - 20;

  const at = (trace: Trace, moment: number): TraceTimeline => {
    const run = openTimeline(trace);
    run.toMoment(moment);
    return run;
  };

  it('is not planted yet: the clean one is equivalent', () => {
    expect(vmEquivalence(clean, golden)).toMatchObject({ equivalent: true, reasons: [] });
  });

  it('is found by the word of memory that changed', async () => {
    const run = at(clean, early);
    const owners = readOwnership(run.machine, run.symbols);
    const { pages } = run.machine.snapshot();
    const index = [...pages.keys()].find((page) => owners.guestsAt(0x8000_0000 + page * 4096)[0]?.vmid === 2)!;
    const paddr = 0x8000_0000 + index * 4096 + 0x7f8;
    const [owner] = owners.guestsAt(paddr);
    const flipped = Uint8Array.of(run.machine.readPhysical(paddr, 1)[0]! ^ 0x10);
    const planted = await studio.record([fault, poke(early, paddr, flipped)]);

    const verdict = vmEquivalence(planted, golden);
    expect(verdict.equivalent).toBe(false);
    expect(verdict.reasons[0]).toBe(`vm2: 1 word of memory changed, the first at gpa ${hex(owner!.gpa)}`);
    const [vm1, vm2] = verdict.vms;
    expect(vm1).toMatchObject({ memoryEqual: true, registersEqual: true });
    expect(vm2).toMatchObject({ memoryEqual: false, registersEqual: true });
    expect(vm2!.memoryDifferences.map(({ gpa, before, after }) => [gpa, before ^ after])).toEqual([
      [owner!.gpa, 0x10n],
    ]);
    // And bisect against the clean run names the same word and its owner.
    const found = bisectTraces(clean, planted);
    expect(found).toMatchObject({ moment: early });
    expect(found.differences).toMatchObject([{ where: 'ram', paddr, owner: `vm2 gpa ${hex(owner!.gpa)}` }]);
  });

  it('is found by the saved register that changed', async () => {
    const run = at(clean, late);
    const owners = readOwnership(run.machine, run.symbols);
    // A vCPU that is resumed later than the first: its saved registers are still only in memory.
    const { vms } = vmEquivalence(clean);
    const last = vms.toSorted((a, b) => (b.entryMoment ?? 0) - (a.entryMoment ?? 0))[0]!;
    const vcpu = owners.list.vms.find(({ vmid }) => vmid === last.vmid)!.vcpus[0]!;
    const x20 = vcpu.address + 20 * 8;
    expect(owners.describe(x20)).toBe(`lazarus vcpu of ${last.name}: x+0xa0`);
    const flipped = Uint8Array.of(run.machine.readPhysical(x20, 1)[0]! ^ 1);
    const verdict = vmEquivalence(await studio.record([fault, poke(late, x20, flipped)]));
    const changed = verdict.vms.find(({ vmid }) => vmid === last.vmid)!;
    expect(verdict.equivalent).toBe(false);
    expect(changed).toMatchObject({ resumedAs: 'changed', memoryEqual: true, registersEqual: false });
    expect(changed.registerDifferences.map(({ name, before, after }) => [name, before ^ after])).toEqual([['x20', 1n]]);
  });
});

describe('a recovery that answers a half-done hypercall with an error instead of retrying it', () => {
  it('is found out by the golden run: the answer is not the one that the VM would have had', async () => {
    const append = 'enhance=-retry';
    const golden = await studio.record([], { append });
    const verdicts = [];
    for (const n of [1, 2, 5, 9]) {
      const faulted = await studio.record([failstop({ kind: 'symbol', symbol: 'store_get', offset: 0, n, ticks: 0 })], {
        append,
      });
      verdicts.push(vmEquivalence(faulted, golden));
    }
    const changed = verdicts.flatMap(({ vms }) => vms).filter(({ resumedAs }) => resumedAs === 'changed');
    expect(changed.length).toBeGreaterThan(0);
    for (const { registerDifferences, memoryEqual } of changed) {
      expect(registerDifferences.map(({ name }) => name)).toContain('pc');
      expect(memoryEqual).toBe(true);
    }
    expect(verdicts.some(({ equivalent }) => !equivalent)).toBe(true);
  });
});

describe('without a recovery', () => {
  it('nothing is equivalent, and the reasons say so', async () => {
    const fault = failstop({ kind: 'hypervisor', after: 1_750_000, k: 20 });
    const golden = await studio.record([], { append: 'recovery=none' });
    const verdict = vmEquivalence(await studio.record([fault], { append: 'recovery=none' }), golden);
    expect(verdict.equivalent).toBe(false);
    expect(verdict.resumedAt).toBeUndefined();
    expect(verdict.vms.map(({ survived, outputEqual }) => [survived, outputEqual])).toEqual([
      [false, false],
      [false, false],
    ]);
  });

  it('nor when only a later one failed, whatever the first one was like', async () => {
    const first = failstop({ kind: 'hypervisor', after: 1_550_000, k: 150 });
    const append = 'recoveries=1';
    const once = await studio.record([first], { append });
    expect(vmEquivalence(once)).toMatchObject({ equivalent: true, reasons: [] });
    const again = failstop({ kind: 'hypervisor', after: noteOf(once, 'RESUMED').moment + 300_000, k: 20 });
    const verdict = vmEquivalence(await studio.record([first, again], { append }));
    expect(verdict.vms.map((vm) => vm.memoryEqual && vm.registersEqual)).toEqual([true, true]);
    expect(verdict).toMatchObject({
      equivalent: false,
      reasons: [expect.stringMatching(/^recovery 2: the recovery gave up \(reason \d\)$/)],
    });
  });

  it('and every recovery of a run is judged', async () => {
    const first = failstop({ kind: 'hypervisor', after: 1_550_000, k: 150 });
    const once = await studio.record([first]);
    const again = failstop({ kind: 'hypervisor', after: noteOf(once, 'RESUMED').moment + 300_000, k: 20 });
    const twice = await studio.record([first, again]);
    expect(vmEquivalence(twice)).toMatchObject({ equivalent: true, reasons: [] });
    // A saved register of a VM is flipped in the second recovery alone.
    const resumed = twice.notes.filter(({ code }) => code === NOTES.RESUMED.code)[1]!;
    const run = openTimeline(twice);
    run.toMoment(resumed.moment - 20);
    const [vm] = readOwnership(run.machine, run.symbols).list.vms;
    const x20 = vm!.vcpus[0]!.address + 20 * 8;
    const flipped = Uint8Array.of(run.machine.readPhysical(x20, 1)[0]! ^ 1);
    const verdict = vmEquivalence(await studio.record([first, again, poke(resumed.moment - 20, x20, flipped)]));
    expect(verdict).toMatchObject({ equivalent: false, reasons: [`recovery 2: ${vm!.name}: x20 changed`] });
  });

  it('a run without a fault has no verdict', async () => {
    const golden = await studio.record([]);
    expect(() => vmEquivalence(golden)).toThrow(/holds no recovery/);
  });
});
