/**
 * Every verb, declared once: arguments, flags, examples, and the module that does it, imported only when it is used
 * (React, wasm and the trace codec cost up to a second). Relies on the flag table; parsing is cli.ts's job.
 */

import type { CommandContext, CommandFunction, Verb } from './command.ts';
import type { FlagName } from './flags.ts';
import { BUNDLED_PLANS } from './plans.ts';
import { SHELLS } from './shells.ts';

/** Ties a verb's flags to the flags that its module wants, then forgets the types for the generic parser. */
function verb<const N extends FlagName = never>(
  declaration: Omit<Verb, 'flags' | 'load'> & {
    readonly flags: readonly N[];
    readonly load: () => Promise<(context: CommandContext<N>) => ReturnType<CommandFunction>>;
  },
): Verb {
  return declaration as Verb;
}

const TRACE = {
  name: 'trace',
  takes: 'trace',
  help: "trace file, name in the trace folder, or 'latest': the last one recorded in this folder, or else anywhere",
} as const;

export const VERBS: readonly Verb[] = [
  verb({
    name: 'demo',
    summary: 'see a hypervisor fail, recover, and the run replay bit for bit',
    arguments: [],
    flags: [],
    examples: ['dejavm demo'],
    load: async () => (await import('./commands/demo.ts')).demoCommand,
  }),
  verb({
    name: 'record',
    summary: 'run a machine and write its trace',
    arguments: [],
    flags: [
      'smp',
      'memory',
      'bios',
      'kernel',
      'initrd',
      'append',
      'dtb',
      'drive',
      'netdev',
      'device',
      'seed',
      'rtc',
      'out',
      'quantum',
      'jitter',
      'fault',
      'input',
      'poke',
      'maxMoment',
      'maxTime',
      'digestEvery',
      'checkpointEvery',
      'noReboot',
      'console',
    ],
    examples: [
      'dejavm record                                   # Lazarus with two VMs, from the images that come with dejavm',
      'dejavm record --fault failstop@8M+3 -o run.djvm # kill the hypervisor at its 3rd instruction after moment 8M',
      'dejavm record -kernel Image -drive file=disk.img,format=raw -netdev builtin,id=n0 -device virtio-net-device,netdev=n0',
      "dejavm record -bios fw.elf -kernel hv.elf -m 256M -smp 4 -append 'console=ttyS0' --console",
      'dejavm record qemu-system-riscv64 -M virt -cpu rv64 -m 1G -nographic -kernel Image   # as it was typed for QEMU',
    ],
    load: async () => (await import('./commands/record.ts')).recordCommand,
  }),
  verb({
    name: 'replay',
    summary: 'run a trace again and compare every digest',
    arguments: [TRACE],
    flags: ['moment', 'fromCheckpoint', 'maxMoment', 'maxTime', 'json'],
    examples: [
      'dejavm replay latest',
      'dejavm replay run.djvm -g 8M    # where was the machine at moment 8,000,000?',
      'dejavm replay run.djvm -g 8M-   # and before the inputs of that moment',
    ],
    load: async () => (await import('./commands/replay.ts')).replayCommand,
  }),
  verb({
    name: 'rerun',
    summary: 'record the run of a trace anew with this version, from what is inside it, and say where the two part',
    arguments: [TRACE],
    flags: ['out', 'maxMoment', 'maxTime', 'json'],
    examples: ['dejavm rerun old.djvm -o new.djvm   # also when an older dejavm recorded it, or a kill cut it off'],
    load: async () => (await import('./commands/rerun.ts')).rerunCommand,
  }),
  verb({
    name: 'verify',
    summary: 'check that a trace is undamaged, replays, and that a recovery in it changed no VM',
    arguments: [TRACE],
    flags: ['structureOnly', 'golden', 'maxMoment', 'maxTime', 'json'],
    examples: ['dejavm verify run.djvm', 'dejavm verify faulted.djvm --golden golden.djvm'],
    load: async () => (await import('./commands/verify.ts')).verifyCommand,
  }),
  verb({
    name: 'info',
    summary: 'say what a trace holds',
    arguments: [TRACE],
    flags: ['json'],
    examples: ['dejavm info latest', 'dejavm info run.djvm --json'],
    load: async () => (await import('./commands/info.ts')).infoCommand,
  }),
  verb({
    name: 'who-wrote',
    summary: 'find who wrote to memory last: which hart, VM, instruction, device or fault, and what was there before',
    arguments: [
      TRACE,
      {
        name: 'where',
        takes: 'text',
        help: 'spa:ADDR (physical), vmN:ADDR (guest-physical), va:ADDR[@hartN], a symbol, [ADDR]:4',
      },
    ],
    flags: ['before', 'changes', 'all', 'read', 'bytes', 'limit', 'symbols', 'json'],
    examples: [
      'dejavm who-wrote latest heap_lock                     # the last write before the end of the run',
      'dejavm who-wrote run.djvm vm2:0x80001000 --before 8M  # follows the address when its mapping changes',
      "dejavm who-wrote run.djvm '[spa:0x80215020]:4' --all --changes",
      'dejavm who-wrote run.djvm heap_lock --symbols hv.elf   # of a stripped image; FILE@ADDR: moved',
    ],
    load: async () => (await import('./commands/who-wrote.ts')).whoWroteCommand,
  }),
  verb({
    name: 'when',
    summary: 'find the moments at which a condition over registers, memory, modes and VMs holds',
    arguments: [TRACE, { name: 'condition', takes: 'text', help: "such as 'hart0.pc == heap_alloc && hart0.a0 > 64'" }],
    flags: ['first', 'last', 'count', 'list', 'every', 'from', 'to', 'limit', 'symbols', 'json'],
    examples: [
      "dejavm when latest 'hart0.pc == heap_alloc' --count",
      "dejavm when run.djvm 'vm2.state == running && hart0.pc in heap_alloc'",
      "dejavm when run.djvm '[heap_lock]:4 != 0' --list --from fault",
      "dejavm when run.djvm 'hart1.mode == HS && hart1.sp < 0x80100000' --every trap",
    ],
    load: async () => (await import('./commands/when.ts')).whenCommand,
  }),
  verb({
    name: 'why',
    summary: 'find what a wrong value, output or missing event came from: the chain of instructions back to its cause',
    arguments: [
      TRACE,
      {
        name: 'where',
        takes: 'text',
        help: 'hart1.a0, hart0.pc, vm1:0x80001000, a symbol, [ADDR]:4, output, output:vm1, output:host; none with --not',
        optional: true,
      },
    ],
    flags: ['whyAt', 'against', 'not', 'whyDepth', 'bytes', 'json'],
    examples: [
      'dejavm why failed.djvm output --against reference.djvm          # from the first byte that differs',
      'dejavm why failed.djvm hart0.sp --at end --against reference.djvm',
      'dejavm why failed.djvm --not output:vm1 --against reference.djvm  # a line is missing: why?',
      'dejavm why failed.djvm --not output:vm2 --against reference.djvm # never printed: why?',
      'dejavm why run.djvm hart0.a0 --at 8M                            # of one run: all that it was computed from',
    ],
    load: async () => (await import('./commands/why.ts')).whyCommand,
  }),
  verb({
    name: 'explain',
    summary: 'explain a failed run on one page: what a user sees, and how it came from what began it',
    arguments: [
      { name: 'trace', takes: 'trace', help: "path, 'latest', or a row of a campaign, as results.sqlite#17" },
    ],
    flags: ['goldenRun', 'keep', 'chain', 'json'],
    examples: [
      'dejavm explain failed.djvm --golden reference.djvm',
      'dejavm explain smoke.sqlite#17               # records the row first, with its fault and without',
      'dejavm explain smoke.sqlite#17 --keep row17   # and keeps both traces, to look closer',
    ],
    load: async () => (await import('./commands/explain.ts')).explainCommand,
  }),
  verb({
    name: 'calls',
    summary: 'list the calls of a function, with their arguments, and what they returned',
    arguments: [
      TRACE,
      {
        name: 'function',
        takes: 'text',
        help: 'a symbol (firmware:NAME, guest:NAME, vm1:NAME+0x10), spa:ADDR, va:ADDR; may end in mode=HS, vm=2, hart=0',
      },
    ],
    flags: ['returns', 'args', 'hart', 'from', 'to', 'limit', 'symbols', 'json'],
    examples: [
      'dejavm calls latest heap_alloc --returns            # what was asked for, and what was given',
      'dejavm calls run.djvm guest:guest_main --from fault   # of all VMs; vm2:guest_main: of one',
      "dejavm calls run.djvm 'va:0x80001000 vm=1' --limit 20",
    ],
    load: async () => (await import('./commands/calls.ts')).callsCommand,
  }),
  verb({
    name: 'backtrace',
    summary: 'show the stack at a moment, from firmware through the hypervisor into the guest',
    arguments: [TRACE],
    flags: ['moment', 'hart', 'depth', 'symbols', 'json'],
    examples: [
      'dejavm backtrace run.djvm -g detected          # of the hart whose instruction is next; without -g at the end',
      'dejavm backtrace run.djvm -g fault- --hart 1',
      "dejavm backtrace run.djvm -g 'heap_alloc#3'    # who asks for memory there?",
    ],
    load: async () => (await import('./commands/backtrace.ts')).backtraceCommand,
  }),
  verb({
    name: 'dump',
    summary: "print a trace's records, one a line",
    arguments: [TRACE],
    flags: ['records', 'from', 'to', 'symbols', 'json'],
    examples: [
      'dejavm dump run.djvm --kind inputs,notes --from fault --to detected',
      'dejavm dump golden.djvm --kind console,end --json',
    ],
    load: async () => (await import('./commands/dump.ts')).dumpCommand,
  }),
  verb({
    name: 'cut',
    summary: 'cut a part out of a trace: a smaller one that replays by itself, with the same moments',
    arguments: [TRACE],
    flags: ['from', 'to', 'out', 'symbols', 'json'],
    examples: [
      'dejavm cut run.djvm --from fault-50k --to detected+10k -o part.djvm',
      'dejavm cut latest --from 8M   # from there to the end, into a new file in the trace folder',
    ],
    load: async () => (await import('./commands/cut.ts')).cutCommand,
  }),
  verb({
    name: 'note',
    summary: 'keep a finding at a moment of a run, as a bookmark beside its trace',
    arguments: [TRACE, { name: 'text', takes: 'text', help: 'the finding, up to 4096 bytes' }],
    flags: ['moment', 'symbols', 'json'],
    examples: ["dejavm note run.djvm -g detected-2000 'the lock is taken here, and never given back'"],
    load: async () => (await import('./commands/bookmarks.ts')).noteCommand,
  }),
  verb({
    name: 'bookmarks',
    summary: "list what was noted at a run's moments, or take one of it away",
    arguments: [TRACE],
    flags: ['delete', 'json'],
    examples: ['dejavm bookmarks latest', 'dejavm bookmarks run.djvm --delete 1'],
    load: async () => (await import('./commands/bookmarks.ts')).bookmarksCommand,
  }),
  verb({
    name: 'show',
    summary: 'show the state of the machine at a moment: registers, VMs, memory, code, how an address translates',
    arguments: [
      TRACE,
      {
        name: 'what',
        takes: 'sections',
        help:
          'regs, float, csr, vms, locks, sched, where, several with commas; mem PLACE, dis PLACE, walk ADDRESS; or an ' +
          'expression for its value (default: regs,vms)',
        optional: true,
        many: true,
      },
    ],
    flags: ['moment', 'hart', 'bytes', 'symbols', 'json'],
    examples: [
      'dejavm show run.djvm -g detected                   # registers and VMs when a failure was detected; without -g at the end',
      'dejavm show run.djvm -g fault- where,locks,sched   # before the fault strikes',
      'dejavm show run.djvm -g 8M mem heap_lock dis hypercall+0x10',
      'dejavm show run.djvm -g 8M walk vm1:0x80001000     # guest-physical; an address without vm1: is virtual',
      "dejavm show run.djvm -g 8M '[spa:0x80215020]:4' 'hart0.mode == HS'",
    ],
    load: async () => (await import('./commands/show.ts')).showCommand,
  }),
  verb({
    name: 'log',
    summary:
      'say what happens in a run: exits and entries of VMs, calls with their results, traps, devices, recoveries',
    arguments: [TRACE],
    flags: ['kinds', 'vm', 'hart', 'from', 'to', 'summary', 'limit', 'follow', 'symbols', 'json'],
    examples: [
      'dejavm log latest --summary                       # how often, and how long it took, per VM',
      'dejavm log run.djvm --kind exit,hypercall --vm 1 --from 8M --to 8.1M',
      'dejavm log run.djvm --from fault --limit 100      # what followed a fault',
      'dejavm log run.djvm -f --kind recovery            # while it is being recorded',
    ],
    load: async () => (await import('./commands/log.ts')).logCommand,
  }),
  verb({
    name: 'console',
    summary: 'print what the run printed, each line with its moment',
    arguments: [TRACE],
    flags: ['grep', 'vm', 'json'],
    examples: ['dejavm console latest', "dejavm console run.djvm --vm 1 --grep 'sum|error'"],
    load: async () => (await import('./commands/console.ts')).consoleCommand,
  }),
  verb({
    name: 'inject',
    summary: 'inject one fault and explain what becomes of it',
    arguments: [
      { name: 'row', takes: 'file', help: "a campaign's row to run again, as results.sqlite#17", optional: true },
    ],
    flags: ['setup', 'recovery', 'enhance', 'checks', 'model', 'at', 'seed', 'recordTo', 'goldenTo', 'json'],
    examples: [
      'dejavm inject --fault failstop --at 3ms+120',
      'dejavm inject smoke.sqlite#17 --record row17.djvm   # the row again; does it end as it did?',
      'dejavm inject smoke.sqlite#17 --record row17.djvm --golden without.djvm   # with its fault, and without',
      'dejavm inject --recovery nilihype --enhance -locks --fault failstop --at heap_alloc+0x82#3',
      'dejavm inject --fault register=x10,bit=5 --at 3ms+120 --record hit.djvm; dejavm tui hit.djvm',
      'dejavm inject --fault failstop --at 3ms+120 --fault failstop --at recovery+50%   # in the middle of its recovery',
    ],
    load: async () => (await import('./commands/inject.ts')).injectCommand,
  }),
  verb({
    name: 'ls',
    summary: 'list the traces in the trace folder',
    arguments: [],
    flags: ['json'],
    examples: ['dejavm ls'],
    load: async () => (await import('./commands/ls.ts')).lsCommand,
  }),
  verb({
    name: 'diff',
    summary: 'say in what two traces differ, without running them',
    arguments: [
      { name: 'a', takes: 'trace', help: 'first trace' },
      { name: 'b', takes: 'trace', help: 'second trace' },
    ],
    flags: ['json'],
    examples: ['dejavm diff golden.djvm faulted.djvm'],
    load: async () => (await import('./commands/diff.ts')).diffCommand,
  }),
  verb({
    name: 'bisect',
    summary: 'find the first instruction after which two runs differ, or the moment from which on a condition holds',
    arguments: [
      { name: 'a', takes: 'trace', help: 'first trace, e.g. the golden run' },
      { name: 'b', takes: 'trace', help: 'second trace; none with --when', optional: true },
    ],
    flags: ['when', 'symbols', 'json'],
    examples: [
      'dejavm bisect golden.djvm faulted.djvm',
      "dejavm bisect run.djvm --when '[spa:0x80215020]:8 != 0'   # from which moment on?",
    ],
    load: async () => (await import('./commands/bisect.ts')).bisectCommand,
  }),
  verb({
    name: 'campaign',
    summary: 'run thousands of injections and count what became of them; stop and go on at any time',
    arguments: [
      {
        name: 'plan',
        takes: 'plan',
        help: `campaign file (YAML), or a plan that comes with dejavm: ${BUNDLED_PLANS.join(', ')}`,
      },
    ],
    flags: ['results', 'workers', 'only', 'paperScale', 'export', 'json'],
    examples: [
      'dejavm campaign smoke                       # every mechanism and fault class, small',
      "dejavm campaign paper -o paper.sqlite       # the papers' sizes; Ctrl-C and the same line again goes on",
      'dejavm campaign ladders                     # enhancements one by one, a thousand faults and more each',
      'dejavm campaign mine.yaml --export csv > table.csv',
      'dejavm inject smoke.sqlite#17               # one row again, explained',
    ],
    load: async () => (await import('./commands/campaign.ts')).campaignCommand,
  }),
  verb({
    name: 'report',
    summary: "print a campaign's tables beside the papers', or draw them",
    arguments: [{ name: 'results', takes: 'file', help: 'results database of a campaign, finished or not' }],
    flags: ['html', 'json', 'csv', 'markdown'],
    examples: [
      'dejavm report smoke.sqlite                       # tables for a terminal of 120 columns',
      'dejavm report paper.sqlite --html report.html    # with figures, for a browser or paper',
      'dejavm report paper.sqlite --markdown > tables.md',
    ],
    load: async () => (await import('./commands/report.ts')).reportCommand,
  }),
  verb({
    name: 'tui',
    summary: 'look at a run: step, step back, jump to the fault',
    arguments: [TRACE],
    flags: ['script', 'frame', 'size', 'symbols'],
    examples: [
      'dejavm tui latest',
      'dejavm tui run.djvm      # also while it is being recorded: F stays at its end',
      "dejavm tui run.djvm --script 'f; 3s' --frame   # print that screen, needs no terminal",
    ],
    load: async () => (await import('./commands/tui.ts')).tuiCommand,
  }),
  verb({
    name: 'completion',
    summary: 'print a script that completes verbs, options, their values and traces in a shell',
    arguments: [{ name: 'shell', takes: 'shell', help: SHELLS.join(', ') }],
    flags: [],
    examples: [
      'source <(dejavm completion bash)          # in this shell; in ~/.bashrc for all',
      'source <(dejavm completion zsh)           # behind compinit, in ~/.zshrc for all',
      'dejavm completion fish > dejavm.fish      # in ~/.config/fish/completions',
    ],
    load: async () => (await import('./commands/completion.ts')).completionCommand,
  }),
];
