/**
 * How often `explain` names the right origin: `node properties/bench/explain.ts DB [--rows N] [--seed S]
 * [--masked | --masked-alone]`.
 * Draws failed rows of a campaign's database, records each with and without its fault, explains it without looking at
 * what was injected, and compares: the origin is right when it lies at the fault's own position. Then it undoes what
 * was named, at its position, and looks whether the symptoms are gone. With `--masked` each recording has a second
 * fault, one that did nothing by itself; with `--masked-alone` runs with such a fault and no other are explained. A
 * line of JSON for each row when it is done, and a summary, of those that were done when it is interrupted.
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
  finishInTurns,
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
  /** The row with the fault that did nothing by itself. */
  readonly second?: number;
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
    'masked-alone': { type: 'boolean', default: false },
  },
});
const [database] = positionals;
if (database === undefined) throw new Error('a database of results is expected: properties/bench/explain.ts DB');
const drawn = drawRows(database, Number(values.rows), Number(values.seed));
const folder = mkdtempSync(join(tmpdir(), 'dejavm-explain-'));
const interruption = new AbortController();
const { signal } = interruption;
process.once('SIGINT', () => interruption.abort()).once('SIGTERM', () => interruption.abort());
try {
  if (values['masked-alone']) await maskedAlone(database, drawn.masked);
  else await failedRows(database);
} finally {
  rmSync(folder, { recursive: true });
}

async function failedRows(path: string): Promise<void> {
  const judged: Judged[] = [];
  let unseen = 0;
  for (const { row, second } of drawn.failed) {
    const one = await judge(path, row, values.masked ? second : undefined);
    if (signal.aborted) break;
    if (!one) {
      unseen++;
      console.log(JSON.stringify({ ...row, symptom: 'none' }));
      continue;
    }
    judged.push(one);
    console.log(JSON.stringify(one));
  }
  summarise(judged, unseen);
}

/** undefined: the run shows no symptom (a loss that only the judge of VM states sees), or it was interrupted. */
async function judge(path: string, row: FailedRow, second: FailedRow | undefined): Promise<Judged | undefined> {
  await recordRow(path, row.id, folder);
  const golden = openTrace(join(folder, 'golden.djvm'));
  let faulted = openTrace(join(folder, 'faulted.djvm'));
  const strike = faultOf(faulted);
  if (second) {
    const [other, event] = await faultOfRow(path, second);
    faulted = await recordWith(faulted, 'both.djvm', [{ trigger: { kind: 'ticks', ticks: other }, event }]);
  }
  const shown = { ...row, ...(second && { second: second.id }) };
  const begun = process.hrtime.bigint();
  const found = await finishInTurns(explainRun(openTimeline(faulted), openTimeline(golden)), { signal });
  if (!found) return undefined;
  const seconds = Number((process.hrtime.bigint() - begun) / 1_000_000n) / 1000;
  const { explained, tried, symptoms } = found;
  if (symptoms.length === 0) return undefined;
  const cause = explained?.answer.cause;
  if (!cause) {
    const why = tried.map(({ answer }) => answer.cause.reason ?? answer.cause.kind).join('; ');
    return { ...shown, right: false, why, seconds };
  }
  return {
    ...shown,
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
  let [runs, claimed] = [0, 0];
  for (const row of rows) {
    await recordRow(path, row.id, folder);
    const [faulted, golden] = ['faulted.djvm', 'golden.djvm'].map((name) =>
      openTimeline(openTrace(join(folder, name))),
    );
    const found = await finishInTurns(explainRun(faulted!, golden!), { signal });
    if (!found) break;
    runs++;
    if (found.explained) claimed++;
    const { what } = found.explained?.answer.cause ?? {};
    console.log(JSON.stringify({ ...row, symptoms: found.symptoms.length, ...(what && { named: what }) }));
  }
  console.log(`masked faults alone: ${runs} runs, an origin claimed in ${claimed}`);
}

function summarise(judged: readonly Judged[], unseen: number): void {
  const count = (of: (one: Judged) => boolean) => judged.filter(of).length;
  const seconds = judged.map((one) => one.seconds).sort((a, b) => a - b);
  const named = count(({ named: name }) => name !== undefined);
  const spent = judged.length > 0 ? `median ${seconds[seconds.length >> 1]} s, longest ${seconds.at(-1)} s` : 'no time';
  console.log(
    `${judged.length} failed rows with symptoms: right origin ${count(({ right }) => right)}, ` +
      `wrong ${count(({ right, named: name }) => !right && name !== undefined)}, none ${judged.length - named}; ` +
      `undone ${count(({ undone }) => undone === true)} of ${named}; ${spent}; ` +
      `failed rows without symptoms: ${unseen}`,
  );
}
