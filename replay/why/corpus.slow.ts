/**
 * The kept failed runs (traces/corpus) next to golden runs that are recorded here: from a console line, a VM that is
 * never entered, or where a hart ends, back to the bit; and that flipping it back makes the failure go away.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { openTrace, type Trace } from '../../traces/index.ts';
import type { PlannedInput } from '../base/types.ts';
import { configFromTrace, inputsFromTrace } from '../container/config.ts';
import { withoutFault } from '../corpus.fixtures.ts';
import { parseExpression } from '../language/index.ts';
import { record } from '../record/record.ts';
import { finish } from '../search/index.ts';
import { openTimeline, type TraceTimeline } from '../timeline/index.ts';
import { parseEvent, questionOfMissing, questionOfOutput, type WhyAnswer, why } from './index.ts';
import { flipBack } from './why.fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-why-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function runs(name: string): Promise<{ readonly a: TraceTimeline; readonly g: TraceTimeline }> {
  const trace = openTrace(fileURLToPath(new URL(`../../traces/corpus/${name}.djvm`, import.meta.url)));
  return { a: openTimeline(trace), g: openTimeline(await withoutFault(trace, folder)) };
}

/** The same run with the named bits flipped back at the cause's position: it does what the golden one does. */
async function undone({ trace }: TraceTimeline, golden: Trace, { cause }: WhyAnswer): Promise<void> {
  const inputs = inputsFromTrace(trace).map(
    ({ ticks, event }) => ({ trigger: { kind: 'ticks', ticks }, event }) as const,
  );
  const planned: PlannedInput[] = [...inputs, ...flipBack(cause)];
  const { path } = await record({
    path: join(folder, `${trace.header.id}-undone.djvm`),
    config: configFromTrace(trace),
    planned,
    maxMoment: Number.MAX_SAFE_INTEGER,
    maxTicks: trace.last.ticks,
    digestEvery: trace.header.digestEvery,
    checkpointEvery: trace.header.checkpointEvery,
    commandLine: trace.header.commandLine,
  });
  const mended = openTrace(path);
  // A fault in code waits for its repair, which is part of the state: what a user sees is compared.
  const seen = ({ console, end }: Trace) => [String.fromCharCode(...console.map(({ byte }) => byte)), end?.reason];
  expect(seen(mended)).toEqual(seen(golden));
}

describe('copied-word: a VM prints another line', async () => {
  const { a, g } = await runs('copied-word');

  it.each(['any', 1] as const)('because of bit 5 of x28: output of %s', async (speaker) => {
    const { question, about } = finish(questionOfOutput(a, g, speaker));
    expect(about).toMatch(/^VM 1 prints/);
    const answer = finish(why(a, g, question));
    expect(answer.cause).toMatchObject({ kind: 'register', what: 't3', register: 28, bits: [5], inputs: ['fault'] });
    expect(answer.cause.position.moment).toBe(4_460_911);
    expect(answer.compared).toMatchObject({ value: 0x44n, golden: 0x64n });
    await undone(a, g.trace, answer);
  });

  it('has no other output that differs, and no line missing', () => {
    expect(() => finish(questionOfOutput(a, g, 2))).toThrow(/VM 2's console lines are those of the golden run/);
    expect(() => finish(questionOfMissing(a, g, parseEvent('enter:vm1')!))).toThrow(/no entry is missing/);
    expect(() => finish(questionOfMissing(a, g, parseEvent('"shut down"')!))).toThrow(/prints every line/);
  });
});

describe('wrong-pc: a VM prints nothing', async () => {
  const { a, g } = await runs('wrong-pc');
  const CAUSE = { kind: 'register', what: 'a3', hart: 1, bits: [3], before: 10n, after: 2n, inputs: ['fault'] };

  it.each(['output:vm2', '"shut down"'])('because of bit 3 of a3: no %s', async (event) => {
    const { question } = finish(questionOfMissing(a, g, parseEvent(event)!));
    const answer = finish(why(a, g, question));
    expect(answer.cause).toMatchObject(CAUSE);
    expect(answer.cause.position.moment).toBe(1_472_165);
    await undone(a, g.trace, answer);
  });

  it.each(['hart1.pc', 'hart1.scause', 'cpus'])('and so is %s at the end', (where) => {
    a.toTicks(a.last.ticks, 'applied');
    const answer = finish(why(a, g, { kind: 'value', where: parseExpression(where), at: a.place }));
    expect(answer.cause).toMatchObject(CAUSE);
  });
});

describe('hang-after-recovery: a VM is never entered again', async () => {
  const { a, g } = await runs('hang-after-recovery');

  it('because of an instruction that is another one', async () => {
    const { question } = finish(questionOfMissing(a, g, parseEvent('enter:vm1')!));
    const answer = finish(why(a, g, question));
    expect(answer.cause).toMatchObject({ kind: 'code', bits: [2], inputs: ['fault'] });
    await undone(a, g.trace, answer);
  });
});
