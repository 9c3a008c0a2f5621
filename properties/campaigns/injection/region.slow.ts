/** What faults strike, against the places that they are aimed at and the instructions that the run is made of. */
import { describe, expect, it } from 'vitest';
import { parseFault } from '../../../engine/index.ts';
import { bootSetup, goldenRun, retiredBy } from './golden.ts';
import { completeMechanism } from './mechanism.ts';
import { regionOf } from './region.ts';
import { runInjection } from './run.ts';
import { findSetup } from './setups.ts';
import { goToTrigger } from './trigger.ts';
import { type InjectionTrigger, REGIONS, type Region } from './types.ts';

const golden = goldenRun(bootSetup(findSetup('compute')), completeMechanism('rehype'));
const { machine, symbols } = golden.booted;

function regionAt(trigger: InjectionTrigger): Region {
  expect(goToTrigger(golden, trigger)).toBe(true);
  const digest = machine.digest();
  const region = regionOf(machine, machine.next().hart, symbols);
  expect(machine.digest()).toBe(digest);
  return region;
}

const at = (symbol: string, n: number, offset = 0): InjectionTrigger => ({ kind: 'symbol', symbol, offset, n });

describe('the region of a hit', () => {
  it.each<[region: Region, trigger: InjectionTrigger]>([
    ['handler', at('trap_vm_exit', 3)],
    ['handler', at('hypercall', 40)],
    ['handler', at('store_add', 2)],
    ['handler', at('timer_interrupt', 1)],
    ['scheduler', at('pick', 2)],
    ['world switch', at('vm_run', 5, 0x40)],
    ['world switch', at('vm_exit', 5)],
    ['world switch', at('switch_to', 2)],
    ['world switch', at('event_update', 2)],
    ['idle', at('domain_all_done', 1)],
    ['M-mode', { kind: 'two-level', ticks: golden.up.ticks, k: 500, of: 'machine' }],
  ])('is %s', (region, trigger) => {
    expect(regionAt(trigger)).toBe(region);
  });

  it('is that of the caller, in what everybody calls', () => {
    const locks = Array.from({ length: 60 }, (_, n) => regionAt(at('lock_acquire', 1 + n)));
    expect(new Set(locks).isSupersetOf(new Set(['handler', 'scheduler']))).toBe(true);
  });

  it('is a recovery while Lazarus brings itself back, and a guest in a VM', () => {
    const { hit } = runInjection(golden, { trigger: at('hypercall', 40), fault: parseFault('failstop') });
    goToTrigger(golden, { kind: 'moment', moment: hit!.moment });
    machine.apply({ kind: 'fault', fault: parseFault(`failstop,hart=${hit!.hart}`) });
    const seen = new Set<Region>();
    for (let n = 0; n < 300; n++) {
      machine.run({ ticks: machine.ticks + 4_000 });
      seen.add(regionOf(machine, machine.next().hart, symbols));
    }
    expect(seen.isSupersetOf(new Set(['recovery', 'M-mode', 'guest']))).toBe(true);
  });

  it('is told for every privileged instruction, each drawn as often as it is executed', () => {
    const all = retiredBy(golden.points.at(-1)!, 'privileged');
    const draws = 300;
    const regions = Array.from({ length: draws }, (_, n) => {
      const k = 1 + Math.floor(((n + 0.5) * all) / draws);
      return regionAt({ kind: 'two-level', ticks: golden.up.ticks, k, of: 'privileged' });
    });
    expect(regions.filter((region) => region === 'hypervisor' || region === 'boot')).toEqual([]);
    const share = regions.filter((region) => region === 'M-mode').length / draws;
    expect(Math.abs(share - golden.machineInstructions / all)).toBeLessThan(0.05);
    expect(new Set(regions).size).toBeGreaterThan(3);
  });

  it('is no more than the mode in a hypervisor that is not Lazarus', () => {
    goToTrigger(golden, at('hypercall', 40));
    const { hart } = machine.next();
    expect(regionOf(machine, hart, { ...symbols, hypervisor: undefined })).toBe('hypervisor');
    expect(REGIONS).toContain('hypervisor');
  });
});
