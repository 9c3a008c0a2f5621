/** What `dejavm show` prints with `--json`. Relies on fields.ts and on the shapes that other verbs print, too. */
import { z } from 'zod';
import { bytes, count, flag, hex64, moment, named, text, ticks } from './fields.ts';
import { mode, path, source, whereabouts } from './traces.ts';

const registers = (what: string) => z.record(text, hex64).describe(what);
const hart = count.describe('its number');

/** Why not all of it can be told. */
const problems = z.array(text).describe('what looked corrupt, or is not published');

const vcpu = named('QueuedVcpu', 'A vCPU as schedulers know it.', {
  paddr: count.describe('physical address of its structure'),
  vmid: count.exactOptional().describe('of its VM; missing: no domain has it'),
  name: text.exactOptional().describe('of its VM'),
  state: text.exactOptional().describe('its published state'),
});

const place = {
  place: text.describe('as it was asked for'),
  address: text.describe('where that is: spa:…, vmN:… or va:…@hartN'),
};

export const show = z.strictObject({
  trace: path,
  moment,
  ticks,
  inputs: z.enum(['pending', 'applied']).describe('whether the inputs of the position have been applied'),
  where: named('Whereabouts', 'Where the harts are.', whereabouts).exactOptional().describe('with where'),
  registers: z
    .array(
      named('HartRegisters', 'Registers of a hart.', {
        hart,
        next: flag.describe('whether it executes the next instruction'),
        mode: mode.describe('its privilege mode'),
        waiting: flag.describe('whether it waits in wfi'),
        vmid: count.describe('VMID in hgatp'),
        registers: registers('by name; those that were asked for'),
      }),
    )
    .exactOptional()
    .describe('with regs, float or csr'),
  vms: named('Vms', 'The VMs.', {
    source: z.enum(['layout', 'harts']).describe("from the hypervisor's published structures, or from hgatp alone"),
    problems,
    vms: z
      .array(
        named('ShownVm', 'A VM.', {
          vmid: count.describe('its VMID'),
          name: text.describe('its name'),
          state: text.describe('of its first vCPU, or of the VM'),
          hart: count.exactOptional().describe('where it runs or last ran'),
          pc: hex64.exactOptional().describe("its first vCPU's, as the hypervisor saved it"),
          symbol: text.exactOptional().describe('where that is: name+0x10'),
          source,
          hgatp: hex64.describe('root of its G-stage tables'),
        }),
      )
      .describe('each'),
  })
    .exactOptional()
    .describe('with vms'),
  locks: named('Locks', "The hypervisor's locks.", {
    problems,
    locks: z
      .array(
        named('Lock', 'A lock.', {
          name: text.describe('its name'),
          paddr: count.describe('physical address'),
          owner: count.exactOptional().describe('hart that holds it; missing: it is free'),
        }),
      )
      .describe('each'),
  })
    .exactOptional()
    .describe('with locks'),
  sched: named('Schedule', 'What each hart runs.', {
    problems,
    harts: z
      .array(
        named('HartSchedule', 'What a hart runs, and what waits for it.', {
          hart,
          current: vcpu.exactOptional().describe('vCPU that it runs'),
          loaded: vcpu.exactOptional().describe('vCPU whose VS CSRs it has'),
          queue: z.array(vcpu).describe('vCPUs in its run queue, in order'),
        }),
      )
      .describe('each'),
  })
    .exactOptional()
    .describe('with sched'),
  places: z
    .array(
      z
        .discriminatedUnion('kind', [
          z.strictObject({
            kind: z.literal('mem'),
            ...place,
            data: bytes.describe('the bytes; fewer than asked for where not all are mapped'),
            ranges: z
              .array(
                named('PhysicalRange', 'A piece of RAM.', {
                  paddr: count.describe('physical address'),
                  bytes: count.describe('its length'),
                }),
              )
              .describe('where they lie, in order'),
            symbol: text.exactOptional().describe('what lies at the address'),
            variable: text
              .exactOptional()
              .describe('the part of a variable that lies there, by debug information: heap_lock.owner'),
            missing: text.exactOptional().describe('why there are fewer'),
          }),
          z.strictObject({
            kind: z.literal('dis'),
            ...place,
            lines: z
              .array(
                named('CodeLine', 'An instruction in memory.', {
                  address: hex64.describe('its address'),
                  raw: count.describe('the instruction word'),
                  bytes: count.describe('its length, 2 or 4'),
                  text: text.describe('disassembled'),
                  symbol: text.exactOptional().describe('where that is: name+0x10'),
                  source,
                }),
              )
              .describe('instructions before, at and behind the address; none: nothing is mapped there'),
          }),
          z.strictObject({
            kind: z.literal('walk'),
            ...place,
            steps: z
              .array(
                named('WalkStep', 'A table entry that a translation reads.', {
                  stage: z.enum(['single', 'vs', 'g']).describe('under satp, vsatp or hgatp'),
                  level: count.describe('of its table; 0 maps 4 KiB'),
                  paddr: hex64.describe('physical address of the entry'),
                  pte: hex64.describe('the entry'),
                }),
              )
              .describe('in order'),
            paddr: hex64.exactOptional().describe('where it leads; missing: nowhere'),
            pmp: named('PmpSays', 'What PMP says.', {
              allowed: flag.describe('whether the access is allowed'),
              entry: count.exactOptional().describe('the entry that decides; missing: none matches'),
            })
              .exactOptional()
              .describe('of the physical address'),
            fault: named('WalkFault', 'Why an address does not translate.', {
              cause: z.enum(['page', 'access', 'guest-page']).describe('which fault an access takes'),
              gpa: hex64.exactOptional().describe('guest-physical address that the G-stage does not map'),
              implicit: z
                .enum(['read', 'write'])
                .exactOptional()
                .describe("the VS-stage's own access to its tables failed"),
            })
              .exactOptional()
              .describe('missing: it translates'),
          }),
          z.strictObject({
            kind: z.literal('value'),
            place: text.describe('the expression'),
            value: z.union([hex64, text]).describe('a number, or a name such as HS or running'),
          }),
        ])
        .meta({ id: 'ShownPlace', description: 'Memory, code, a translation, or a value.' }),
    )
    .exactOptional()
    .describe('with mem, dis, walk and expressions, in the order of the command line'),
});
