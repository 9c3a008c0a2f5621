/**
 * Every command-line flag, declared once: the parser, the help texts and the error messages all read this table.
 * Relies on parse.ts for values; which verb takes which flags stands in verbs.ts. QEMU's spelling (`-smp 2`) is brought
 * to this one by qemu/command-line.ts before the parser sees it.
 */

import { parseMomentText } from '../../replay/index.ts';
import {
  parseConsoleInput,
  parseFaultPlan,
  parseInteger,
  parseMoment,
  parsePoke,
  parseSeed,
  UsageError,
} from '../base/index.ts';
import { isTooSmall, MIN_COLUMNS, MIN_ROWS } from '../panels/index.ts';
import { parseDevice, parseDrive, parseHarts, parseNetdev, parseRam, parseWallClock } from './parse-devices.ts';
import { QUESTION_FLAGS } from './question-flags.ts';
import type { Takes } from './takes.ts';

interface FlagSpec {
  /** As commander reads it: `-o, --out <file>`. */
  readonly syntax: string;
  readonly help: string;
  /** Absent for switches, as is `takes`. */
  readonly parse?: (text: string) => unknown;
  readonly takes?: Takes;
  /** May be given several times; the value is a list. */
  readonly many?: true;
  readonly fallback?: unknown;
}

type Switch = FlagSpec & { readonly parse?: never; readonly takes?: never };
type Valued = FlagSpec & Required<Pick<FlagSpec, 'parse' | 'takes'>>;

const asText = (text: string): string => text;

/** One of each fault model. */
export const FAULT_EXAMPLES = [
  'failstop',
  'register=x10,bit=5',
  'memory=0x80201000,bit=3',
  'code=instruction,bit=7',
  'csr=hgatp,bit=44',
  'interrupt=timer,effect=lost',
  'device=7,effect=io-error',
] as const;

export const FLAGS = {
  smp: {
    syntax: '--smp <harts>',
    help: 'number of harts, 1 to 8; cpus=4 and a topology that comes to as many are taken, too',
    parse: parseHarts,
    takes: 'text',
    fallback: 2,
  },
  memory: {
    syntax: '-m, --memory <size>',
    help: 'RAM: 128M, 1G; a plain number counts MiB',
    parse: parseRam,
    takes: 'text',
    fallback: 128 * 1024 * 1024,
  },
  bios: {
    syntax: '--bios <file>',
    help:
      "M-mode firmware, ELF or flat; 'none': the kernel runs in M-mode (default: the one that comes with dejavm, SBI 2.0; " +
      "its name is 'default')",
    parse: asText,
    takes: 'firmware',
  },
  kernel: {
    syntax: '--kernel <file>',
    help: 'hypervisor or kernel that the firmware starts (default: Lazarus, where --bios is not given either)',
    parse: asText,
    takes: 'file',
  },
  initrd: {
    syntax: '--initrd <file>',
    help: 'its initial ramdisk; for Lazarus: a guest image or a bundle of them (default there: a guest that computes, in two VMs)',
    parse: asText,
    takes: 'file',
  },
  dtb: {
    syntax: '--dtb <file>',
    help: "device tree to be given to it in place of the board's own",
    parse: asText,
    takes: 'file',
  },
  drive: {
    syntax: '--drive <settings>',
    help:
      'disk image (repeatable): file=disk.img,format=raw[,readonly=on]; with if=none,id=d0 for a --device of your own. ' +
      'The file stays as it is: writes are part of the run. random=SEED,size=64K in place of file= draws the content',
    parse: parseDrive,
    takes: 'drive',
    many: true,
  },
  netdev: {
    syntax: '--netdev <settings>',
    help:
      'network (repeatable): builtin,id=n0 is a switch with a station at 10.0.2.2; udp,id=n0,port=P[,peer=Q] exchanges ' +
      'frames on 127.0.0.1',
    parse: parseNetdev,
    takes: 'netdev',
    many: true,
  },
  device: {
    syntax: '--device <settings>',
    help:
      'device (repeatable): virtio-blk-device,drive=d0; virtio-net-device,netdev=n0[,mac=…]; virtio-rng-device; ' +
      'virtio-serial-device; each with bus=virtio-mmio-bus.N if wanted',
    parse: parseDevice,
    takes: 'device',
    many: true,
  },
  seed: {
    syntax: '--seed <seed>',
    help: 'seed of device latencies and of the entropy device',
    parse: parseSeed,
    takes: 'text',
  },
  rtc: {
    syntax: '--rtc <date>',
    help: "date at the start: 2025-01-31T12:00:00 (UTC), or 'now' (default: 2025-01-01)",
    parse: parseWallClock,
    takes: 'date',
  },
  append: {
    syntax: '--append <string>',
    help: 'its command line (/chosen/bootargs)',
    parse: asText,
    takes: 'text',
    fallback: '',
  },
  out: {
    syntax: '-o, --out <file>',
    help: 'trace to write (default: a new file in the trace folder)',
    parse: asText,
    takes: 'file',
  },
  quantum: {
    syntax: '--quantum <ticks>',
    help: "length of a hart's turn, 64 to 1000000 ticks of 1 ns",
    parse: parseInteger(64, 1_000_000),
    takes: 'text',
    fallback: 1000,
  },
  jitter: {
    syntax: '--jitter <seed>',
    help: 'draw the length of each turn from this seed',
    parse: parseSeed,
    takes: 'text',
  },
  fault: {
    syntax: '--fault <plan>',
    help:
      `inject a fault (repeatable): failstop@M+K, ${FAULT_EXAMPLES.map((fault) => `${fault}@M`).join(', ')}, ` +
      'optional ,hart=N; M+K is the K-th hypervisor instruction after moment M; in place of M also 5ms, and ' +
      'SYMBOL+OFFSET#N, the N-th execution of a place in the hypervisor',
    parse: parseFaultPlan,
    takes: 'fault-plan',
    many: true,
  },
  setup: {
    syntax: '--setup <name>',
    help: 'machine and workload to inject into; an unmodified guest by path: linux@IMAGE[,initrd=FILE], uboot@FILE',
    parse: asText,
    takes: 'setup',
    fallback: 'compute',
  },
  recovery: {
    syntax: '--recovery <mechanism>',
    help: 'recovery mechanism: none, rehype, nilihype',
    parse: asText,
    takes: 'recovery',
    fallback: 'rehype',
  },
  enhance: {
    syntax: '--enhance <list>',
    help: 'its enhancements: all, none, a,b (only these), -a,-b (all but these)',
    parse: asText,
    takes: 'enhancements',
    fallback: 'all',
  },
  checks: {
    syntax: '--checks <list>',
    help: "the hypervisor's self-checks in the whole run: all, none, a,b (only these), -a,-b (all but these)",
    parse: asText,
    takes: 'checks',
    fallback: 'all',
  },
  model: {
    syntax: '--fault <model>',
    help: `the fault: ${FAULT_EXAMPLES.join(', ')}, optional ,hart=N; given twice, with two --at: two faults in one run`,
    parse: asText,
    takes: 'fault',
    many: true,
  },
  at: {
    syntax: '--at <when>',
    help:
      'when it strikes: 5ms+120 (120th hypervisor instruction from 5 ms of virtual time on; 5ms+120@privileged counts ' +
      "M-mode's too, @machine only those), 8M (a moment), " +
      'frame_alloc+0x10#3 (third time that it is executed); the second of two: 9ms+120, detection+4711 (before that ' +
      'instruction of HS- or M-mode after the first detection), recovery+50% (half-way through the recovery)',
    parse: asText,
    takes: 'text',
    many: true,
  },
  recordTo: {
    syntax: '--record <file>',
    help: 'record the run with the fault as a trace',
    parse: asText,
    takes: 'file',
  },
  goldenTo: {
    syntax: '--golden <file>',
    help: 'record the same run without the fault, to compare with',
    parse: asText,
    takes: 'file',
  },
  input: {
    syntax: '--input <moment:text>',
    help: 'type on the console at a moment (repeatable); \\n \\r \\t \\xNN are known',
    parse: parseConsoleInput,
    takes: 'text',
    many: true,
  },
  poke: {
    syntax: '--poke <moment:paddr:hex>',
    help: 'overwrite physical memory at a moment (repeatable)',
    parse: parsePoke,
    takes: 'text',
    many: true,
  },
  maxMoment: {
    syntax: '--max-moment <moment>',
    help: 'stop there even if the machine still runs: 50M, 2G',
    parse: parseMoment,
    takes: 'text',
    fallback: Number.MAX_SAFE_INTEGER,
  },
  maxTime: {
    syntax: '--max-time <time>',
    help: 'the same in virtual time, which also ends a guest that sleeps: 500ms, 10s',
    parse: asText,
    takes: 'text',
  },
  digestEvery: {
    syntax: '--digest-every <n>',
    help: 'instructions between state digests',
    parse: parseMoment,
    takes: 'text',
    fallback: 1_000_000,
  },
  checkpointEvery: {
    syntax: '--checkpoint-every <n>',
    help: 'instructions between checkpoints',
    parse: parseMoment,
    takes: 'text',
    fallback: 10_000_000,
  },
  noReboot: {
    syntax: '--no-reboot',
    help: "a reset that software asks for ends the run, as QEMU's -no-reboot; without it the machine starts over",
  },
  console: { syntax: '--console', help: 'standard input feeds the UART and is recorded; Ctrl-A x quits' },
  moment: {
    syntax: '-g, --goto <moment>',
    help:
      'go there: 8M, 5ms, heap_alloc#3 (its third execution), fault, detected+500, end-1000; with a - at the end before ' +
      'the inputs of that position',
    parse: parseMomentText,
    takes: 'text',
  },
  ...QUESTION_FLAGS,
  fromCheckpoint: {
    syntax: '--from-checkpoint <n>',
    help: 'start at checkpoint N instead of at the beginning',
    parse: parseInteger(0, 1e9),
    takes: 'text',
  },
  structureOnly: { syntax: '--structure-only', help: 'check the file without replaying it' },
  golden: {
    syntax: '--golden <trace>',
    help: 'compare the outputs of VMs with this run, which had no fault',
    parse: asText,
    takes: 'trace',
  },
  json: { syntax: '--json', help: 'print the result as JSON' },
  csv: { syntax: '--csv', help: 'print every number with its interval as CSV, one a line' },
  markdown: { syntax: '--markdown', help: 'print the tables as Markdown' },
  html: {
    syntax: '--html <file>',
    help: 'write tables and figures to an HTML file that needs no network',
    parse: asText,
    takes: 'file',
  },
  script: {
    syntax: '--script <keys>',
    help: "press keys or give commands at the start, separated by ';': 'f; 3s; :hart 1'",
    parse: asText,
    takes: 'text',
  },
  frame: { syntax: '--frame', help: 'print the screen as text after the script and quit; needs no terminal' },
  results: {
    syntax: '-o, --out <file>',
    help: "results database; one that exists is resumed (default: the campaign's name with .sqlite)",
    parse: asText,
    takes: 'file',
  },
  workers: {
    syntax: '--workers <n>',
    help: 'worker threads (default: one per core, as far as memory goes)',
    parse: parseInteger(1, 256),
    takes: 'text',
  },
  only: {
    syntax: '--only <cell>',
    help: "run only this cell now: its number, or words of its name such as 'register rehype'",
    parse: asText,
    takes: 'text',
  },
  paperScale: {
    syntax: '--paper-scale',
    help: "cells outside ladders as the papers': 1000 failstop, 5000 register, 2000 code faults; workloads of 10 and 24 s",
  },
  export: {
    syntax: '--export <format>',
    help: "print the results when it ends: 'csv' (the table, a line per row) or 'json' (everything)",
    parse: parseExport,
    takes: 'export-format',
  },
  size: {
    syntax: '--size <CxR>',
    help: 'size of the printed frame, columns x rows',
    parse: parseScreenSize,
    takes: 'text',
  },
} as const satisfies Record<string, Switch | Valued>;

export type FlagName = keyof typeof FLAGS;

type ValueOf<F> = F extends { readonly parse: (text: string) => infer T }
  ? F extends { readonly many: true }
    ? readonly T[]
    : F extends { readonly fallback: unknown }
      ? T
      : T | undefined
  : boolean;

/** What a command receives for the flags it named. */
export type FlagValues<N extends FlagName = never> = { readonly [K in N]: ValueOf<(typeof FLAGS)[K]> };

/** The table's row without its literal types. */
export const flagSpec = (name: FlagName): FlagSpec => FLAGS[name];

/** A flag's help text with its default. */
export function flagHelp(name: FlagName): string {
  const { help, fallback } = flagSpec(name);
  if (fallback === undefined || fallback === '' || fallback === Number.MAX_SAFE_INTEGER) return help;
  return `${help} (default: ${name === 'memory' ? `${Number(fallback) / 2 ** 20}M` : String(fallback)})`;
}

/** Long spelling without dashes, e.g. `max-moment`. */
export function longName(name: FlagName): string {
  return /--([\w-]+)/.exec(FLAGS[name].syntax)![1]!;
}

/** Every spelling in a syntax, with its dashes: `-o, --out <file>` -> -o, --out. */
export const spellingsOf = (syntax: string): string[] => syntax.match(/(?<![\w<-])--?[\w-]+/g) ?? [];

/** What `--export` prints. */
export const EXPORT_FORMATS = ['csv', 'json'] as const;

function parseExport(text: string): (typeof EXPORT_FORMATS)[number] {
  const found = EXPORT_FORMATS.find((format) => format === text);
  if (found !== undefined) return found;
  throw new UsageError(`expected ${EXPORT_FORMATS.join(' or ')}, got '${text}'`);
}

const MOST_COLUMNS = 400;
const MOST_ROWS = 200;

function parseScreenSize(text: string): { readonly columns: number; readonly rows: number } {
  const [, columns, rows] = (/^(\d{1,3})x(\d{1,3})$/.exec(text) ?? []).map(Number);
  if (columns !== undefined && rows !== undefined && !isTooSmall(columns, rows)) {
    if (columns <= MOST_COLUMNS && rows <= MOST_ROWS) return { columns, rows };
  }
  const range = `from ${MIN_COLUMNS}x${MIN_ROWS} to ${MOST_COLUMNS}x${MOST_ROWS}`;
  throw new UsageError(`expected COLUMNSxROWS such as 80x24, ${range}, got '${text}'`);
}
