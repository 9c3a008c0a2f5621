/** What the verbs that read traces print with `--json`. Relies on fields.ts; which verb prints what: shapes.ts. */
import { z } from 'zod';
import { count, flag, hex64, inputEvent, moment, named, position, stateDifference, text, ticks } from './fields.ts';

export const path = text.describe('path of the trace');

/** Beside the symbol of a pc. */
export const source = text
  .exactOptional()
  .describe('its source line, where debug information has one: lazarus/sched.c:123');

const damage = named('Damage', 'Where a file stops being readable.', {
  offset: count.describe('byte offset in the file'),
  kind: z.enum(['truncated', 'checksum', 'malformed']).describe('what is wrong there'),
  message: text.describe('the same for people'),
  lastGood: position.describe('last position that is intact'),
});

/** Of a trace's header. */
export const headerFields = {
  formatMajor: count.describe('version of the file format'),
  formatMinor: count.describe('its minor version'),
  engineBehaviour: count.describe('version of what the machine does: a trace replays under the same one'),
  toolVersion: text.describe('the dejavm that recorded it'),
  id: text.describe('names the run; made from the rest of the header'),
  machine: named('Machine', 'The machine of a trace.', {
    harts: count.describe('number of harts'),
    ramBytes: count.describe('size of RAM'),
    quantum: named('Quantum', "How long a hart's turn is.", {
      policy: z.enum(['fixed', 'jittered']).describe('the same for all turns, or drawn'),
      ticks: count.describe('length of a turn, ns of virtual time'),
      seed: text.describe('seed that lengths are drawn from, decimal'),
    }).describe('turns of harts'),
    append: text.describe('command line of the kernel'),
    seed: text.exactOptional().describe('seed of the devices, decimal'),
    wallClock: count.exactOptional().describe('date at tick 0, seconds since 1970'),
    reboots: flag.exactOptional().describe('whether a reset starts it over; missing: a reset ends the run'),
    devices: z
      .array(
        named('Device', 'A virtio device.', {
          kind: text.describe('block, net, console, entropy'),
          slot: count.describe('virtio slot'),
          settings: z.record(text, text).describe('its settings'),
        }),
      )
      .exactOptional()
      .describe('devices that are plugged in'),
  }).describe('the machine'),
  images: z
    .array(
      named('Image', 'A file that went into the machine.', {
        role: text.describe('bios, kernel, initrd, dtb, drive0, …'),
        name: text.describe("the file's name"),
        sha256: text.describe('of its content, hexadecimal'),
      }),
    )
    .describe('files that went into it'),
  digestEvery: count.describe('instructions between digests'),
  checkpointEvery: count.describe('instructions between checkpoints'),
  commandLine: z.array(text).describe('the command that recorded it'),
  cut: named('Cut', 'Which part of a run a cut holds.', {
    of: text.describe('id of the recording of the whole run'),
    from: position.describe('where it begins'),
    to: position.describe('where it ends'),
  })
    .exactOptional()
    .describe('missing: it begins where the machine was switched on'),
};
const header = named('Header', 'What a trace says of itself.', headerFields);

export const info = z.strictObject({
  path,
  header: header.describe('what the trace says of itself'),
  sizeBytes: count.describe('size of the file'),
  bytesPerMillionInstructions: count.describe('what a recording costs'),
  counts: named('Counts', 'How many records of each kind a trace holds.', {
    inputs: count.describe('inputs'),
    digests: count.describe('digests of the whole machine'),
    checkpoints: count.describe('checkpoints'),
    consoleBytes: count.describe('bytes that the console printed'),
    notes: count.describe('notes of software inside'),
  }).describe('how many records it holds'),
  first: position.describe('where it begins'),
  last: position.describe('last position that it vouches for'),
  end: named('End', 'How a recording ended.', {
    moment,
    ticks,
    digest: hex64.describe('of the machine there'),
    reason: text.describe('how it stopped: halted pass 0, idle, moment, ticks, stopped, cut'),
  })
    .nullable()
    .describe('its end; null: the recording was cut off'),
  damage: damage.nullable().describe('null: none was found'),
  events: z
    .array(
      named('Event', 'Something that happened in a run.', {
        moment,
        kind: z
          .enum(['fault', 'detected', 'resumed', 'failed', 'recovery', 'note', 'progress', 'input', 'end'])
          .describe('what it is'),
        text: text.describe('the same for people'),
      }),
    )
    .describe('inputs, notes and the end, in order'),
  eventsLeftOut: count.describe('further ones that are not listed'),
});

export const ls = z.strictObject({
  folder: text.describe('the trace folder'),
  traces: z
    .array(
      named('Listed', 'A file in the trace folder.', {
        path,
        sizeBytes: count.describe('size of the file'),
        modified: text.describe('when it was last written, ISO 8601, UTC'),
        latest: flag.describe('whether latest means it'),
        harts: count.exactOptional().describe('number of harts'),
        moments: count.exactOptional().describe('length in instructions'),
        end: text.exactOptional().describe('how the run ended, for people'),
        problem: text.exactOptional().describe('why it cannot be read; the three above are missing then'),
      }),
    )
    .describe('newest first'),
});

export const cut = z.strictObject({
  trace: path.describe('path of the trace that was cut'),
  wholeBytes: count.describe('its size'),
  path: path.describe('path of the new trace'),
  id: text.describe('names it; made from its header'),
  of: text.describe('id of the recording of the whole run'),
  from: position.describe('where it begins'),
  to: position.describe('where it ends'),
  bytes: count.describe('size of the new trace'),
  bookmarks: count.describe('bookmarks of the part, which are beside it, too'),
});

const setting = named('Setting', 'A setting in which two machines differ.', {
  name: text.describe('such as harts, RAM, append'),
  a: text.describe('in A'),
  b: text.describe('in B'),
});
const consoleLine = named('ConsoleLine', 'A line on the console.', {
  moment: moment.describe('of its first byte'),
  text: text.describe('without its end'),
});
const two = { a: text.describe('path of trace A'), b: text.describe('path of trace B') };

export const diff = z.strictObject({
  ...two,
  equal: flag.describe('whether nothing differs'),
  part: named('Part', 'A part of a run.', {
    from: position.describe('where it begins'),
    to: position.describe('where it ends'),
  })
    .exactOptional()
    .describe('what was compared, where a trace is a cut; missing: all of both'),
  machine: z.array(setting).describe('settings of the machine that differ'),
  images: z.array(setting).describe('files that went into it and differ'),
  inputs: z
    .array(
      named('InputDifference', 'A position at which inputs differ.', {
        moment,
        ticks,
        onlyA: z.array(inputEvent).describe('what only A applies there'),
        onlyB: z.array(inputEvent).describe('what only B applies there'),
      }),
    )
    .describe('the first positions at which inputs differ'),
  moreInputs: count.describe('further such positions that are not listed'),
  digests: named('DigestComparison', 'Digests of the whole machine, compared where both runs have one.', {
    compared: count.describe('how many positions'),
    lastEqual: position.exactOptional().describe('the last one at which they are equal'),
    firstDifferent: named('DigestDifference', 'Digests that differ.', {
      moment,
      ticks: ticks.describe('virtual time in A, ns'),
      ticksOfB: ticks.describe('virtual time in B, ns'),
      a: hex64.describe('digest of A'),
      b: hex64.describe('digest of B'),
    })
      .exactOptional()
      .describe('the first one at which they differ'),
  }).describe('digests of the whole machine'),
  vms: z
    .array(
      named('VmComparison', "Digests of one VM's memory, compared.", {
        vmid: count.describe('its VMID'),
        compared: count.describe('how many moments'),
        lastEqual: moment.exactOptional().describe('the last one at which they are equal'),
        firstDifferent: moment.exactOptional().describe('the first one at which they differ'),
      }),
    )
    .describe("each VM's memory"),
  console: named('ConsoleDifference', 'Console lines that differ.', {
    line: count.describe('number of the line'),
    a: consoleLine.exactOptional().describe('in A; missing: A has no such line'),
    b: consoleLine.exactOptional().describe('in B; missing: B has no such line'),
  })
    .exactOptional()
    .describe('first line that differs; missing: none does'),
  end: named('EndDifference', 'Ends that differ, for people.', {
    a: text.describe('of A'),
    b: text.describe('of B'),
  })
    .exactOptional()
    .describe('missing: they are equal'),
  lines: z.array(text).describe('all of it for people'),
});

export const bisect = z.strictObject({
  ...two,
  identical: flag.describe('whether the runs are'),
  moment: moment.exactOptional().describe('first moment at which the states differ'),
  ticks: ticks.exactOptional(),
  hart: count.exactOptional().describe('the hart whose instruction made the difference'),
  pc: hex64.exactOptional().describe('address of that instruction'),
  instruction: text.exactOptional().describe('disassembled'),
  symbol: text.exactOptional().describe('where it is: name+0x10'),
  source,
  cause: text.exactOptional().describe('an input that only one run has, or what the instruction did'),
  differences: z
    .array(
      named('NamedDifference', 'A word of state that differs.', {
        ...stateDifference,
        symbol: text.exactOptional().describe('what lies at the address'),
        owner: text.exactOptional().describe('whose memory it is'),
      }),
    )
    .describe('what differs there'),
  probes: count.describe('positions that were looked at'),
});

const replayed = {
  ok: flag.describe('whether it agrees with the recording, as far as it went'),
  complete: flag.describe('whether it came to the end of the recording'),
  digestsCompared: count.describe('digests that agreed'),
  end: position.describe('where it ended'),
  divergence: named('Divergence', 'Where a replay parts from its recording.', {
    agreedAt: position.describe('last position at which they agree'),
    differsAt: position.describe('first position at which they do not'),
    what: z.enum(['state digest', 'console', 'note', 'position']).describe('what disagrees'),
    expected: hex64.describe('recorded: a digest, a byte, a note, a moment or virtual time; -0x1: none'),
    actual: hex64.describe('the same of the replay'),
    vms: z.array(count).describe('VMIDs of VMs whose memory is not as recorded'),
    differences: z
      .array(named('StateDifference', 'A word of state that differs.', stateDifference))
      .describe('what differs, where a checkpoint tells'),
    differencesAt: position.exactOptional().describe('the checkpoint'),
  })
    .exactOptional()
    .describe('missing: they agree'),
};

export const replay = z.strictObject({ trace: path, ...replayed });

export const mode = z.enum(['M', 'HS', 'S', 'U', 'VS', 'VU']);

/** Where the harts are, and what each does there. */
export const whereabouts = {
  harts: z
    .array(
      named('HartPlace', 'Where a hart is.', {
        hart: count.describe('its number'),
        next: flag.describe('whether it executes the next instruction'),
        mode: text.describe('M, HS, S, U, VS or VU'),
        vmid: count.exactOptional().describe('VMID, in VS and VU'),
        pc: hex64.describe('address of its next instruction'),
        symbol: text.exactOptional().describe('where that is: name+0x10'),
        source,
        instruction: text.exactOptional().describe('disassembled; missing: nothing is mapped there'),
      }),
    )
    .describe('each hart'),
  trapLoops: z
    .array(
      named('TrapLoop', 'A hart that takes one exception again and again.', {
        hart: count.describe('its number'),
        from: mode.describe('mode that traps'),
        to: mode.describe('mode that takes the trap'),
        vmid: count.describe('VMID, where a VM traps'),
        cause: count.describe('number of the exception, as in xcause'),
        pc: hex64.describe('where it traps'),
        tval: hex64.describe('value of xtval'),
      }),
    )
    .describe('harts that do nothing but trap'),
};

export const place = z.strictObject({ trace: path, moment, ticks, ...whereabouts });

const word = { before: hex64.describe('when it was left'), after: hex64.describe('when it was entered') };

const equivalence = named('Equivalence', 'Whether a recovery changed anything that a VM can see.', {
  equivalent: flag.describe('whether it changed nothing'),
  reasons: z.array(text).describe('why not'),
  detectedAt: moment.describe('moment of the detection'),
  resumedAt: moment.exactOptional().describe('moment at which the first VM was resumed; missing: none was'),
  vms: z
    .array(
      named('VmVerdict', 'One VM across a recovery.', {
        vmid: count.describe('its VMID'),
        name: text.describe('as its console lines are prefixed'),
        survived: flag.describe('false: it was never entered again, though it had not finished'),
        resumedAs: z
          .enum(['unchanged', 'completed', 'unknown', 'changed', 'not-resumed'])
          .describe(
            'exactly as it was left; behind its hypercall, with the answer; maybe with another vCPU, where they cannot ' +
              'be told apart; otherwise; or not at all. Of several vCPUs the worst',
          ),
        vcpusCompared: count.describe('vCPUs whose registers were compared'),
        vcpusLost: z
          .array(hex64)
          .describe('addresses of vCPUs that were interrupted and never entered again, though the VM never finished'),
        pagesCompared: count.describe('pages of its memory that were compared'),
        memoryEqual: flag.describe('whether all are equal'),
        memoryDifferences: z
          .array(
            named('MemoryDifference', "A word of a VM's memory that differs.", {
              gpa: hex64.describe('guest-physical address'),
              ...word,
            }),
          )
          .describe('where they are not'),
        registersEqual: flag.describe('whether its registers are equal'),
        registerDifferences: z
          .array(
            named('RegisterDifference', 'A register of a VM that differs.', {
              vcpu: hex64
                .exactOptional()
                .describe('address of its vCPU; missing: the VM has one, or they are not told apart'),
              name: text.describe('its name'),
              ...word,
            }),
          )
          .describe('which are not'),
        exitMoment: moment.exactOptional().describe('moment of the last exit of any vCPU before it was resumed'),
        entryMoment: moment.exactOptional().describe('moment of the first entry of any after that'),
        outputEqual: flag
          .exactOptional()
          .describe('whether it printed what it does in the golden run, if one is given'),
        outputDifference: text.exactOptional().describe('how not'),
      }),
    )
    .describe('each VM'),
});

export const verify = z.strictObject({
  trace: path,
  intact: flag.describe('whether the file is undamaged'),
  damage: damage.nullable().describe('null: there is none'),
  replay: named('Replay', 'How a replay went.', replayed).nullable().describe('null: with --structure-only'),
  equivalence: equivalence.nullable().describe('null: nothing was recovered, or the replay did not come to the end'),
});

const stream = z.enum(['state', 'VM memory', 'console', 'notes', 'end']);
const streamDifference = {
  differsAt: position.describe('the sooner of the two records that differ'),
  a: text.describe('as recorded, for people'),
  b: text.describe('as recorded anew, for people'),
};

export const rerun = z.strictObject({
  trace: path,
  engineBehaviour: named('Behaviours', 'Versions of what the machine does.', {
    recorded: count.describe('that the trace was recorded under'),
    present: count.describe('that of this dejavm'),
  }).describe('versions of what the machine does'),
  recorded: named('Recorded', 'A trace that was recorded.', {
    path,
    end: named('DigestAt', 'A digest and its place.', {
      moment,
      ticks,
      digest: hex64.describe('of the machine there'),
    }).describe('where the run ended'),
    stop: z
      .discriminatedUnion('kind', [
        z.strictObject({ kind: z.enum(['moment', 'ticks', 'count', 'work', 'watchpoint', 'event', 'idle']) }),
        z.strictObject({
          kind: z.literal('halted'),
          status: z.enum(['pass', 'fail', 'reset']).describe('what software wrote to the test finisher'),
          code: count.describe('the code beside it'),
        }),
        z.strictObject({
          kind: z.literal('breakpoint'),
          hart: count.describe('whose next instruction it is'),
          paddr: count.describe('its physical address'),
        }),
      ])
      .meta({ id: 'Stop', description: 'Why a run ended.' })
      .describe('why it ended'),
    bytes: count.describe('size of the file'),
  }).describe('the new trace'),
  equal: flag.describe('whether the two recordings are'),
  mismatch: named('Mismatch', 'Where two recordings differ first.', {
    stream: stream.describe('in what'),
    ...streamDifference,
    agreedAt: position.describe('last position before it at which everything is equal'),
  })
    .nullable()
    .describe('the soonest difference; null: there is none'),
  streams: z
    .array(
      named('StreamComparison', 'Records of one kind, compared.', {
        stream: stream.describe('the kind'),
        equal: count.describe('records that are equal, before the first difference'),
        difference: named('StreamDifference', 'Records that differ.', streamDifference)
          .exactOptional()
          .describe('the first difference; missing: there is none'),
        incomparable: text.exactOptional().describe('why a difference of this kind says nothing about the run'),
      }),
    )
    .describe('each kind of record'),
  displaced: z
    .array(
      named('Displaced', 'An input that could not be applied where it was recorded.', {
        moment,
        ticks,
        event: inputEvent.describe('the input'),
        appliedAt: position.nullable().describe('where it was applied; null: the run had ended'),
      }),
    )
    .describe('inputs that could not be applied where they were recorded'),
});
