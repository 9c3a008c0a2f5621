/** What `log` and `console` print with `--json`. Relies on fields.ts; which verb prints what: shapes.ts. */
import { z } from 'zod';
import { LOG_KINDS } from '../../../replay/index.ts';
import { count, flag, hex64, inputEvent, moment, named, text, ticks } from './fields.ts';

const mode = z.enum(['M', 'HS', 'S', 'U', 'VS', 'VU']);
const vmid = count.describe('VMID of the VM');
const work = count.describe('ticks that the hart has spent on instructions and traps; only differences mean something');
const kind = z.enum(LOG_KINDS).describe('what it is');

const call = named('Call', 'A service that an ecall asked for.', {
  abi: z.enum(['sbi', 'hypervisor', 'unknown']).describe('whose numbers these are'),
  name: text.describe('such as TIME set_timer, console_write; the number where no name is known'),
  number: hex64.describe('a7'),
  function: hex64.describe('a6'),
  arguments: z.array(hex64).describe('from a0 on, as many as it takes; four where that is not known'),
  result: named('CallResult', 'How a call ended.', {
    how: z
      .enum(['returned', 'retried', 'elsewhere'])
      .describe('behind the ecall; the ecall is made again; or its caller goes on at another place'),
    moment,
    ticks,
    work,
    a0: hex64.describe('register'),
    a1: hex64.describe('register'),
    error: text.exactOptional().describe('name of an SBI error, where a0 is one'),
  })
    .exactOptional()
    .describe('missing: it had not ended when this was printed'),
});

export const log = z.strictObject({
  kind,
  moment,
  ticks,
  hart: count.exactOptional().describe('the hart'),
  vmid: vmid.exactOptional().describe('VMID of the VM that acts, or that is left or entered'),
  vcpu: hex64
    .exactOptional()
    .describe('sscratch while the VM runs: tells vCPUs apart where a hypervisor keeps the address of the vCPU there'),
  mode: mode.exactOptional().describe('mode in which it happened, or which was left'),
  to: mode.exactOptional().describe('mode that was entered'),
  pc: hex64.exactOptional().describe('the instruction; of an entry, the one with which the VM goes on'),
  work: work.exactOptional(),
  cause: named('Cause', 'Why something was left.', {
    number: count.describe('as in xcause, without the interrupt bit'),
    interrupt: flag.describe('whether it is an interrupt'),
    name: text.describe('its name'),
    tval: hex64.describe('value of xtval'),
    gpa: hex64.exactOptional().describe('of guest-page faults: guest-physical address, its lowest two bits zero'),
  })
    .exactOptional()
    .describe('of exits, traps and interrupts'),
  call: call.exactOptional().describe('of hypercalls and SBI calls'),
  csr: named('CsrWrite', 'What a CSR instruction wrote.', {
    number: count.describe('as the instruction names it'),
    name: text.describe('of the CSR that was written: vsstatus where a guest names sstatus'),
    before: hex64.describe('as it read before'),
    after: hex64.describe('as it reads now'),
  })
    .exactOptional()
    .describe('of CSR writes'),
  access: named('Access', 'What an instruction did to a device.', {
    device: text.describe('its name'),
    paddr: count.describe('physical address'),
    offset: count.describe("from the device's beginning"),
    access: z.enum(['load', 'store']).describe('which'),
    bytes: count.describe('how many'),
    value: hex64.describe('what was read or written'),
  })
    .exactOptional()
    .describe('of accesses to devices'),
  dma: named('Dma', 'What a device wrote to RAM.', {
    device: text.describe('its name'),
    paddr: count.describe('physical address'),
    bytes: count.describe('how many'),
    queue: count.exactOptional().describe('queue of the request that it serves'),
    head: count.exactOptional().describe("the request's first descriptor"),
  })
    .exactOptional()
    .describe('of DMA'),
  note: named('Note', 'What software said to the observer.', {
    code: count.describe('number of the note'),
    arg: count.describe('its argument'),
    text: text.describe('the same for people'),
  })
    .exactOptional()
    .describe('of notes, and of the steps of a recovery'),
  input: inputEvent.exactOptional().describe('of inputs and faults'),
  before: named('RanBefore', 'What a hart ran before.', { vmid, vcpu: hex64.describe('as above') })
    .exactOptional()
    .describe('of sched; missing: not known'),
});

const time = named('LogTime', 'How often something happened, and how long it took.', {
  name: text.describe('why a VM was left, or what was asked for; inside: the stays in the VM'),
  count: count.describe('how often'),
  hartTicks: count.describe('what the hart itself spent: a tick for each instruction and each trap'),
  longest: count.describe('the longest of them, in such ticks'),
  longestAt: moment.describe('where that began'),
  ticks: ticks.describe('virtual time that passed, ns: also while other harts had their turns'),
});

export const logSummary = z.strictObject({
  kinds: z
    .array(named('KindCount', 'How many entries there are.', { kind, count: count.describe('how many') }))
    .describe('entries of each kind'),
  vms: z
    .array(
      named('VmSummary', 'The time of a VM.', {
        vmid,
        inside: time.describe('stays inside'),
        outside: z.array(time).describe('from each exit to the next entry on that hart, the longest first'),
      }),
    )
    .describe('each VM'),
  sbi: z.array(time).describe('SBI calls of the hypervisor, from ecall to return'),
});

export const consoleLine = z.strictObject({
  moment: moment.describe("of the line's first byte"),
  vmid: vmid.exactOptional().describe("VM that said it, by the line's prefix; missing: none"),
  text: text.describe('without its end'),
});
