/**
 * For tests that hold for every verb: files that verbs can work on, and a short command line for each verb of the
 * table. A verb that takes nothing but traces needs no entry here.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT } from '../base/exit-codes.ts';
import type { Verb } from './command.ts';
import { cli } from './test-io.ts';
import { VERBS } from './verbs.ts';

export interface EveryVerb {
  /** Each verb and a command line that ends by itself, prints something on standard output, and finds no damage. */
  readonly commandLines: readonly (readonly [name: string, argv: readonly string[]])[];
}

/** What a terminal would act upon: a title, a cleared screen, a turned direction, C1. */
export const EVIL = '\x1b]0;X\x07\x1b[2J\u202e\x9b';

const LENGTH = ['--max-moment', '900k', '--digest-every', '100k', '--checkpoint-every', '500k', '-append', EVIL];

/** Records two runs that differ, of a guest with an evil command line, and runs a campaign of one row, in a folder. */
export async function prepareEveryVerb(folder: string): Promise<EveryVerb> {
  const file = (name: string) => join(folder, name);
  const env = { XDG_DATA_HOME: folder };
  const plan = file('tiny.yaml');
  const campaign = ['campaign', plan, '-o', file('tiny.sqlite'), '--workers', '1'];
  writeFileSync(plan, 'name: tiny\ncells:\n  - { setup: compute, fault: failstop, mechanism: rehype, size: 1 }\n');
  for (const argv of [
    ['record', '-o', file('a.djvm'), ...LENGTH],
    ['record', '-o', file('b.djvm'), ...LENGTH, '--poke', '700k:0x80700000:5a'],
    campaign,
  ]) {
    const { code, err } = await cli(argv, { env });
    if (code !== EXIT.ok) throw new Error(`${argv.join(' ')} ended with ${code}: ${err}`);
  }
  /** What each verb takes besides traces. */
  const others: Readonly<Record<string, readonly string[]>> = {
    record: ['-o', file('c.djvm'), ...LENGTH],
    show: [file('a.djvm'), '-g', '500k', 'regs,csr,vms,locks,sched,where', 'mem', 'heap_lock', 'walk', '0'],
    'who-wrote': [file('a.djvm'), 'heap_lock', '--all'],
    when: [file('a.djvm'), 'hart0.pc == heap_alloc', '--list'],
    why: [file('b.djvm'), '[spa:0x80700000]:1', '--against', file('a.djvm')],
    explain: [file('b.djvm'), '--golden', file('a.djvm')],
    calls: [file('a.djvm'), 'heap_alloc', '--returns'],
    cut: [file('a.djvm'), '--from', '300k', '--to', '600k', '-o', file('cut.djvm')],
    backtrace: [file('a.djvm'), '-g', '700k'],
    inject: ['--fault', 'failstop', '--at', 'hypercall#40'],
    campaign: campaign.slice(1),
    report: [file('tiny.sqlite')],
    note: [file('a.djvm'), '-g', '100k', EVIL],
    tui: [file('a.djvm'), '--frame'],
    completion: ['bash'],
  };
  const traces = (verb: Verb) => verb.arguments.map((_, n) => file(n === 0 ? 'a.djvm' : 'b.djvm'));
  return { commandLines: VERBS.map((verb) => [verb.name, [verb.name, ...(others[verb.name] ?? traces(verb))]]) };
}
