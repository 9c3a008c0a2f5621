/**
 * Traces: records changed and written anew, blocks changed and sealed again, and bytes changed and not sealed. Every
 * verb that takes a trace reads them, and the model of the terminal UI.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { createTracePlayer, openSession } from '../../replay/index.ts';
import { openTrace, readTraceSummary } from '../../traces/index.ts';
import { EXIT } from '../base/exit-codes.ts';
import { runScript } from '../model/input.ts';
import { machineIntrospection } from '../model/introspection.ts';
import { createScanner } from '../model/scan.ts';
import { createSession } from '../model/session.ts';
import { createLanes } from '../panels/lanes.ts';
import { BLOCK_CHANGE, type BlockChange, changeBlocks } from './container.ts';
import { CHANGE, type Change, change, NUMBERS, writeNumber } from './mutate.ts';
import { type Door, type Specimen, subject } from './subject.ts';
import { cutBase, forgeDigest, recordBase, type TraceBase, type TraceData, writeData } from './traces.ts';

/** A number written over bytes, at a place that is counted modulo how many there are. */
interface Word {
  readonly place: number;
  readonly value: number;
}

type ContentChange =
  /** `forge`: checkpoints get the digest of the state that they then hold. */
  | { readonly kind: 'records'; readonly changes: readonly Change[]; readonly forge: boolean }
  /**
   * The state of one checkpoint, which then has its digest. `far`: no digest behind it says that the run is another.
   */
  | { readonly kind: 'state'; readonly checkpoint: number; readonly at: readonly Word[]; readonly far: boolean }
  | { readonly kind: 'blocks'; readonly changes: readonly BlockChange[]; readonly hasIndex: boolean }
  | { readonly kind: 'bytes'; readonly at: readonly Word[] };

interface TraceChange {
  readonly content: ContentChange;
  /** Of which recording: `part` is a cut of the plain one. */
  readonly of: keyof Bases;
  /** By what it is read, besides what reads all. */
  readonly ways: readonly Way[];
}

interface Bases {
  readonly plain: TraceBase;
  /** Something recovers in it. */
  readonly recovers: TraceBase;
  readonly part: TraceBase;
}

const NUMBER = fc.oneof(fc.constantFrom(...NUMBERS), fc.nat({ max: 255 }), fc.maxSafeNat());

const CONTENT_CHANGE: fc.Arbitrary<ContentChange> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('records'),
      changes: fc.array(CHANGE, { minLength: 1, maxLength: 3 }),
      forge: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('state'),
      checkpoint: fc.nat(),
      at: fc.array(fc.record({ place: fc.nat(), value: NUMBER }), { minLength: 1, maxLength: 3 }),
      far: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('blocks'),
      changes: fc.array(BLOCK_CHANGE, { minLength: 1, maxLength: 3 }),
      hasIndex: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('bytes'),
      at: fc.array(fc.record({ place: fc.nat(), value: fc.nat({ max: 255 }) }), { minLength: 1, maxLength: 3 }),
    }),
  },
);

/** Keys that go along the run in every way. */
const SCRIPT = 'f; 3s; 2S; G; [; ]; 2h; 700g; x; c';
const SCAN_STEP = 1_000_000;

export const TRACES = subject<TraceChange>('traces', async (folder) => {
  const plain = await recordBase(join(folder, 'plain.djvm'), 'VM_PROGRESS', 'VM_DONE');
  const bases: Bases = {
    plain,
    recovers: await recordBase(join(folder, 'recovers.djvm'), 'DETECTED_TRAP', 'RESUMED'),
    part: cutBase(plain, join(folder, 'part.djvm')),
  };
  return {
    changes: fc.record({
      content: CONTENT_CHANGE,
      of: fc.constantFrom('plain' as const, 'recovers' as const, 'part' as const),
      ways: fc.subarray<Way>([...WAYS], { minLength: 4, maxLength: 4 }),
    }),
    make({ content, of, ways }, into) {
      const base = bases[of];
      const path = join(into, 'changed.djvm');
      if (!writeChanged(base, content, path)) return undefined;
      const from = content.kind === 'state' ? content.checkpoint % base.data.checkpoints.length : 2;
      return specimen(path, base.path, from, join(into, 'anew.djvm'), ways);
    },
  };
});

/** False when no file can hold it. */
function writeChanged(base: TraceBase, its: ContentChange, path: string): boolean {
  if (its.kind === 'blocks' || its.kind === 'bytes') {
    const bytes = new Uint8Array(readFileSync(base.path));
    writeFileSync(
      path,
      its.kind === 'blocks' ? changeBlocks(bytes, its.changes, its.hasIndex) : flipped(bytes, its.at),
    );
    return true;
  }
  let data = structuredClone(base.data);
  if (its.kind === 'records') for (const one of its.changes) change(data, one);
  else data = withState(data, its);
  if (its.kind === 'state' || its.forge) forgeCheckpoints(data, base.config);
  return isWritable(data, path);
}

/** Most of a state is buffers that nobody uses: every other change strikes what is not zero. */
function withState(data: TraceData, { checkpoint, at, far }: ContentChange & { readonly kind: 'state' }): TraceData {
  const { state } = data.checkpoints[checkpoint % data.checkpoints.length]!;
  const used = [...state.keys()].filter((place) => state[place] !== 0);
  for (const { place, value } of at) {
    writeNumber(state, place % 2 === 0 ? used[(place / 2) % used.length]! : place % state.length, value);
  }
  return far ? { ...data, header: { ...data.header, digestEvery: 1_000_000 }, digests: [] } : data;
}

function forgeCheckpoints(data: TraceData, config: Parameters<typeof forgeDigest>[1]): void {
  data.checkpoints.forEach((its, n) => {
    data.checkpoints[n] = { ...its, digest: forgeDigest(its, config) };
  });
}

/** False when the writer cannot write such a record at all: no file can hold it. */
function isWritable(data: TraceData, path: string): boolean {
  try {
    writeData(data, path);
    return true;
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return false;
    throw error;
  }
}

function flipped(bytes: Uint8Array, places: readonly Word[]): Uint8Array {
  const now = bytes.slice();
  for (const { place, value } of places) writeNumber(now, place % now.length, value);
  return now;
}

const ALL_PARTS = 'regs,float,csr,vms,locks,sched,where';

const WAYS = [
  'golden',
  'from its checkpoint',
  'seek',
  'seek before',
  'seek an event',
  'show',
  'who wrote',
  'when',
  'calls',
  'why',
  'why not',
  'why alone',
  'explain',
  'backtrace',
  'bisect a condition',
  'diff',
  'bisect',
  'rerun',
  'cut',
  'log',
  'times',
  'console',
  'summary',
  'screen',
] as const;
type Way = (typeof WAYS)[number];

function specimen(path: string, base: string, from: number, anew: string, ways: readonly Way[]): Specimen {
  const limit = ['--max-moment', '8k'];
  const doors: Readonly<Record<Way, Door>> = {
    golden: { argv: ['verify', path, '--golden', base, ...limit, '--json'] },
    'from its checkpoint': { argv: ['replay', path, '--from-checkpoint', String(from), '--json'] },
    seek: { argv: ['replay', path, '-g', '3100'] },
    'seek before': { argv: ['replay', path, '-g', '1700-', '--json'] },
    'seek an event': { argv: ['replay', path, '-g', 'input-'] },
    show: { argv: ['show', path, '-g', '3100', ALL_PARTS, 'mem', 'spa:0x80010000', 'walk', '0', 'dis', 'hart0.pc'] },
    'who wrote': { argv: ['who-wrote', path, 'spa:0x80010000', '--all', '--json'] },
    when: { argv: ['when', path, 'hart0.mode == M && [spa:0x80010000]:8 > 9', '--list'] },
    calls: { argv: ['calls', path, 'spa:0x80000040', '--returns', '--json'] },
    backtrace: { argv: ['backtrace', path, '-g', '3100', '--json'] },
    why: { argv: ['why', path, '[spa:0x80010000]:8', '--against', base, '--json'] },
    'why alone': { argv: ['why', path, '[spa:0x80010000]:8', '--json'] },
    'why not': { argv: ['why', path, '--not', 'output', '--against', base] },
    explain: { argv: ['explain', path, '--golden', base, '--json'] },
    'bisect a condition': { argv: ['bisect', path, '--when', '[spa:0x80010000]:8 != 0'] },
    diff: { argv: ['diff', base, path] },
    bisect: { argv: ['bisect', base, path] },
    rerun: { argv: ['rerun', path, '-o', anew, ...limit] },
    cut: { argv: ['cut', path, '--from', '2k', '--to', '4k', '-o', `${anew}.part`] },
    log: { argv: ['log', path, '--kind', 'csr,mmio,trap,note,input,fault', '--from', '1k', '--json'] },
    times: { argv: ['log', path, '--summary'] },
    console: { argv: ['console', path, '--grep', '[A-P]+', '--json'] },
    summary: { act: () => void readTraceSummary(path) },
    screen: { act: () => walk(path) },
  };
  return {
    doors: {
      verify: { argv: ['verify', path] },
      replay: { argv: ['replay', path] },
      info: { argv: ['info', path] },
      'info as JSON': { argv: ['info', path, '--json'] },
      ...Object.fromEntries(ways.map((way) => [way, doors[way]])),
      ...(ways.includes('rerun') && { 'replay anew': { argv: ['replay', anew] } }),
    },
    contradiction({ verify, replay, info, rerun, 'replay anew': replayAnew }) {
      // Nothing was wrong with these command lines.
      if ([verify, replay, info].includes(EXIT.usage)) {
        return `what is wrong with the file is called a usage error: ${verify}, ${replay}, ${info}`;
      }
      if (verify === 0 && (replay !== 0 || info !== 0)) {
        return `verify finds nothing, replay ends with ${replay}, info with ${info}`;
      }
      return rerun! <= 1 && replayAnew !== 0 ? `what rerun recorded does not replay: ${replayAnew}` : undefined;
    },
  };
}

/** What the terminal UI does with a trace, the drawing excepted. */
function walk(path: string): void {
  const trace = openTrace(path);
  const debug = openSession(trace);
  const { machine } = debug.run;
  const lanes = createLanes(machine.config.harts);
  const scanner = createScanner(createTracePlayer(trace), trace.last.moment, lanes);
  while (!scanner.done) scanner.advance(SCAN_STEP);
  runScript(createSession(debug, machineIntrospection(debug.run.symbols), lanes), SCRIPT);
}
