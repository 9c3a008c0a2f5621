/**
 * How often `explain` names the right origin: `node properties/bench/explain.ts DB [--rows N] [--seed S] [--masked]`.
 * Draws failed rows of a campaign's database, records each with and without its fault, explains it without looking at
 * what was injected, and compares: the origin is right when it lies at the fault's own position. Then it undoes what
 * was named, at its position, and looks whether the symptoms are gone. With `--masked` each recording has a second
 * fault, one that did nothing by itself; and runs with such a fault alone are explained, too. A line of JSON for each
 * row, and a summary.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { InputEvent } from '../../engine/index.ts';
import {
  type Cause,
  configFromTrace,
  explainRun,
  findSymptoms,
  finish,
  inputsFromTrace,
  openTimeline,
  type PlannedInput,
  record,
  symptomText,
} from '../../replay/index.ts';
import { openTrace, type Trace } from '../../traces/index.ts';
import { recordRow } from '../campaigns/index.ts';
import { drawRows, type FailedRow } from './explain-rows.ts';

interface Judged extends FailedRow {
  readonly symptom?: string;
  readonly named?: string;
  readonly right: boolean;
  /** Undoing what was named made all symptoms go away; absent: nothing was named. */
  readonly undone?: boolean;
  readonly why?: string;
  readonly seconds: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    masked: { type: 'boolean', default: false },
  },
});
const [database] = positionals;
if (database === undefined) throw new Error('a database of results is expected: properties/bench/explain.ts DB');
const drawn = drawRows(database, Number(values.rows), Number(values.seed));
const folder = mkdtempSync(join(tmpdir(), 'dejavm-explain-'));
try {
  const judged: Judged[] = [];
  for (const [n, row] of drawn.failed.entries()) {
    const one = await judge(database, row, values.masked ? drawn.masked[n % drawn.masked.length] : undefined);
    if (!one) continue;
    judged.push(one);
    console.log(JSON.stringify(one));
  }
  summarise(judged);
  if (values.masked) await maskedAlone(database, drawn.masked);
} finally {
  rmSync(folder, { recursive: true });
}

/** undefined: the run shows no symptom (a loss that only the judge of VM states sees). */
async function judge(path: string, row: FailedRow, second: FailedRow | undefined): Promise<Judged | undefined> {
  await recordRow(path, row.id, folder);
  const golden = openTrace(join(folder, 'golden.djvm'));
  let faulted = openTrace(join(folder, 'faulted.djvm'));
  const strike = faultOf(faulted);
  if (second) {
    const [other, event] = await faultOfRow(path, second);
    faulted = await recordWith(faulted, 'both.djvm', [{ trigger: { kind: 'ticks', ticks: other }, event }]);
  }
  const begun = process.hrtime.bigint();
  const found = finish(explainRun(openTimeline(faulted), openTimeline(golden)));
  const seconds = Number((process.hrtime.bigint() - begun) / 1_000_000n) / 1000;
  const { explained, tried, symptoms } = found;
  if (symptoms.length === 0) return undefined;
  const cause = explained?.answer.cause;
  if (!cause) {
    const why = tried.map(({ answer }) => answer.cause.reason ?? answer.cause.kind).join('; ');
    return { ...row, right: false, why, seconds };
  }
  return {
    ...row,
    symptom: symptomText(explained.symptom),
    named: `${cause.kind} ${cause.what} bits ${cause.bits?.join(',')} at moment ${cause.position.moment}`,
    right: cause.position.ticks === strike.ticks,
    undone: await isUndone(faulted, golden, cause),
    seconds,
  };
}

/** The fault's position, and what it is. */
function faultOf(trace: Trace): { readonly ticks: number; readonly event: InputEvent } {
  return inputsFromTrace(trace).find(({ event }) => event.kind === 'fault')!;
}

async function faultOfRow(path: string, row: FailedRow): Promise<readonly [number, InputEvent]> {
  const other = mkdtempSync(join(folder, 'second-'));
  await recordRow(path, row.id, other);
  const { ticks, event } = faultOf(openTrace(join(other, 'faulted.djvm')));
  rmSync(other, { recursive: true });
  return [ticks, event];
}

/** The same run with further inputs, those at one position behind its own. */
async function recordWith(trace: Trace, name: string, further: readonly PlannedInput[]): Promise<Trace> {
  const { digestEvery, checkpointEvery, commandLine } = trace.header;
  const own = inputsFromTrace(trace).map(({ ticks, event }) => ({ trigger: { kind: 'ticks' as const, ticks }, event }));
  const { path } = await record({
    path: join(folder, name),
    config: configFromTrace(trace),
    planned: [...own, ...further],
    maxMoment: Number.MAX_SAFE_INTEGER,
    maxTicks: trace.last.ticks,
    digestEvery,
    checkpointEvery,
    commandLine,
  });
  return openTrace(path);
}

/** Whether putting back what was named, right when it changed, makes all symptoms go away. */
async function isUndone(faulted: Trace, golden: Trace, cause: Cause): Promise<boolean> {
  const undo = undoOf(cause);
  const planned = undo.map((event) => ({ trigger: { kind: 'ticks' as const, ticks: cause.position.ticks }, event }));
  const mended = await recordWith(faulted, 'undone.djvm', planned);
  return finish(findSymptoms(openTimeline(mended), openTimeline(golden))).length === 0;
}

/** Registers and CSRs get their bits flipped back, memory its bytes. */
function undoOf({ kind, hart = 0, register, what, bits = [], paddr, before = 0n, bytes = 1 }: Cause): InputEvent[] {
  if (kind === 'memory' || kind === 'code') {
    const old = Uint8Array.from({ length: bytes }, (_, n) => Number((before >> BigInt(8 * n)) & 0xffn));
    return [{ kind: 'poke', paddr: paddr!, bytes: old }];
  }
  const model = (bit: number) => {
    if (kind === 'csr') return { model: 'csr', hart, csr: what as never, bit } as const;
    return { model: 'register', hart, register: kind === 'pc' ? 32 : register!, bit } as const;
  };
  return bits.map((bit) => ({ kind: 'fault', fault: model(bit) }));
}

async function maskedAlone(path: string, rows: readonly FailedRow[]): Promise<void> {
  let [claimed, runs] = [0, 0];
  for (const row of rows) {
    await recordRow(path, row.id, folder);
    const [faulted, golden] = ['faulted.djvm', 'golden.djvm'].map((name) =>
      openTimeline(openTrace(join(folder, name))),
    );
    const { explained } = finish(explainRun(faulted!, golden!));
    runs++;
    if (explained) claimed++;
  }
  console.log(`masked faults alone: ${runs} runs, an origin claimed in ${claimed}`);
}

function summarise(judged: readonly Judged[]): void {
  const count = (of: (one: Judged) => boolean) => judged.filter(of).length;
  const seconds = judged.map((one) => one.seconds).sort((a, b) => a - b);
  const named = count(({ named: name }) => name !== undefined);
  console.log(
    `${judged.length} failed rows with symptoms: right origin ${count(({ right }) => right)}, ` +
      `wrong ${count(({ right, named: name }) => !right && name !== undefined)}, none ${judged.length - named}; ` +
      `undone ${count(({ undone }) => undone === true)} of ${named}; ` +
      `median ${seconds[seconds.length >> 1]} s, longest ${seconds.at(-1)} s`,
  );
}
