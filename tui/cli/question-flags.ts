/**
 * The flags of verbs that ask a trace something: which stretch of it, which kinds, which VM. Part of the table in
 * flags.ts, which says what a row is.
 */
import { MAX_HARTS } from '../../engine/index.ts';
import { EVERY, LOG_KINDS, MAX_VMID, parseMomentText } from '../../replay/index.ts';
import { DUMPED_KINDS } from '../../traces/index.ts';
import { parseInteger, parseSymbols, parseWord, parseWords } from '../base/index.ts';

/** Of memory, at once. */
const MAX_SHOWN_BYTES = 65_536;

export const QUESTION_FLAGS = {
  from: {
    syntax: '--from <moment>',
    help: 'begin there, what enters the machine at that position included: 8M, 5ms, fault, detected',
    parse: parseMomentText,
    takes: 'text',
  },
  to: {
    syntax: '--to <moment>',
    help: 'end there, all of that moment included',
    parse: parseMomentText,
    takes: 'text',
  },
  records: {
    syntax: '--kind <list>',
    help: `only records of these kinds, with commas between them: ${DUMPED_KINDS.join(', ')}`,
    parse: parseWords('kind of record', DUMPED_KINDS),
    takes: 'record-kinds',
  },
  delete: {
    syntax: '--delete <n>',
    help: 'take the bookmark with this number away',
    parse: parseInteger(1, Number.MAX_SAFE_INTEGER),
    takes: 'text',
  },
  kinds: {
    syntax: '--kind <list>',
    help: `only these kinds, with commas between them: ${LOG_KINDS.join(', ')} (default: all but csr)`,
    parse: parseWords('kind of entry', LOG_KINDS),
    takes: 'log-kinds',
  },
  vm: {
    syntax: '--vm <n>',
    help: 'only what belongs to the VM with this VMID',
    parse: parseInteger(0, MAX_VMID),
    takes: 'text',
  },
  hart: {
    syntax: '--hart <n>',
    help: 'only this hart',
    parse: parseInteger(0, MAX_HARTS - 1),
    takes: 'text',
  },
  summary: {
    syntax: '--summary',
    help: 'count, and say for each VM how long it was inside and, by why it was left, outside',
  },
  limit: {
    syntax: '--limit <n>',
    help: 'stop after so many entries',
    parse: parseInteger(1, Number.MAX_SAFE_INTEGER),
    takes: 'text',
  },
  follow: {
    syntax: '-f, --follow',
    help: 'go on while the trace is being recorded, until the recording ends',
  },
  symbols: {
    syntax: '--symbols <file>',
    help:
      'symbols and debug information from an ELF file (repeatable): of software that was relocated, FILE@0x8ff00000; ' +
      'that a VM runs, FILE@vm1; or whose image is stripped, FILE',
    parse: parseSymbols,
    takes: 'file',
    many: true,
  },
  grep: {
    syntax: '--grep <pattern>',
    help: 'only lines in which this regular expression is found',
    parse: (text: string): string => text,
    takes: 'text',
  },
  before: {
    syntax: '--before <moment>',
    help: 'look at what comes before it, and read WHERE as it is there: 8M, fault, end-1000 (default: end)',
    parse: parseMomentText,
    takes: 'text',
  },
  changes: { syntax: '--changes', help: 'only writes that change a byte' },
  all: { syntax: '--all', help: 'list all of them, oldest first, and not only the last' },
  read: { syntax: '--read', help: 'who read, in place of who wrote' },
  first: { syntax: '--first', help: 'the first moment (unless another of these four is given)' },
  last: { syntax: '--last', help: 'the last moment' },
  count: { syntax: '--count', help: 'how many moments there are' },
  list: { syntax: '--list', help: 'list them, oldest first' },
  every: {
    syntax: '--every <what>',
    help: `look at the condition at every ${EVERY.join(', every ')}, whatever it is made of`,
    parse: parseWord('event', EVERY),
    takes: 'every',
  },
  when: {
    syntax: '--when <condition>',
    help: 'of one trace: find the first moment of a condition that, once true, stays true',
    parse: (text: string): string => text,
    takes: 'text',
  },
  depth: {
    syntax: '--depth <n>',
    help: 'so many frames at most (default: 100)',
    parse: parseInteger(1, 10_000),
    takes: 'text',
  },
  chain: {
    syntax: '--depth <n>',
    help: 'show so many steps of the chain at most (default: 100)',
    parse: parseInteger(1, 100_000),
    takes: 'text',
  },
  whyDepth: {
    syntax: '--depth <n>',
    help: 'show so many steps of the chain at most (default: 100); without a golden run, so many levels (default: 8)',
    parse: parseInteger(1, 100_000),
    takes: 'text',
  },
  against: {
    syntax: '--against <trace>',
    help:
      'the golden run: the same machine, images and inputs without what went wrong; without one, the tree of all that ' +
      'the value was computed from is shown',
    parse: (text: string): string => text,
    takes: 'trace',
  },
  goldenRun: {
    syntax: '--golden <trace>',
    help: 'the golden run: the same machine, images and inputs without what went wrong; of a row it is recorded, too',
    parse: (text: string): string => text,
    takes: 'trace',
  },
  keep: {
    syntax: '--keep <directory>',
    help: 'of a row: keep both traces in this folder, as faulted.djvm and golden.djvm; it is made if need be',
    parse: (text: string): string => text,
    takes: 'file',
  },
  not: {
    syntax: '--not <event>',
    help:
      'why an event of the golden run is missing: a moment of that run (4M, heap_alloc#3), output:vm2, enter:vm2, or ' +
      `'"text"' for a console line that contains it`,
    parse: (text: string): string => text,
    takes: 'text',
  },
  whyAt: {
    syntax: '--at <moment>',
    help: 'the value that WHERE has there: 8M, fault, end-1000 (default: end)',
    parse: parseMomentText,
    takes: 'text',
  },
  returns: { syntax: '--returns', help: 'with the end of each call: when, how many instructions later, a0 and a1' },
  args: {
    syntax: '--args <n>',
    help: 'so many arguments, from a0 on (default: as many as debug information says, else 8)',
    parse: parseInteger(0, 8),
    takes: 'text',
  },
  bytes: {
    syntax: '--bytes <n>',
    help: 'so many bytes of memory (default: as many as the place has)',
    parse: parseInteger(1, MAX_SHOWN_BYTES),
    takes: 'text',
  },
} as const;
