/**
 * Traces of scenarios as files: what is read is what was written, and whatever happens to the bytes is refused or
 * located, never misread.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MachineConfig } from '../engine/index.ts';
import { configFromTrace, inputsFromTrace, replayTrace } from '../replay/index.ts';
import { openTraceBytes, type Trace, TraceError } from '../traces/index.ts';
import { scenarios } from './arbitraries.ts';
import { check, checkScenarios } from './check.ts';
import { copyTrace, IMAGES, ONE_ROUND, scenarioRecorder } from './scenario.fixtures.ts';
import { scenarioCommand, scenarioConfig, scenarioInputs } from './scenario.ts';

const recorder = scenarioRecorder();
const ROLES = ['bios', 'kernel', 'initrd'] as const;
const STREAMS = ['inputs', 'digests', 'console', 'notes', 'checkpoints'] as const;

test('a trace gives back what was recorded', async () => {
  const name = 'a trace gives back what was recorded';
  await checkScenarios({ name, runs: 12 }, scenarios({ ...ONE_ROUND, maxFaults: 2, maxTyped: 4 }), async (scenario) => {
    const printed: number[] = [];
    const notes: unknown[] = [];
    const { result, trace } = await recorder.record(scenario, [], ({ kind, ...event }) => {
      if (kind === 'note') notes.push(event);
      else if ('byte' in event) printed.push(event.byte);
    });
    expect(trace.damage).toBeUndefined();
    expectSameConfig(configFromTrace(trace), scenarioConfig(scenario, IMAGES));
    expect(trace.sizeBytes).toBe(result.bytes);
    expect(trace.end).toMatchObject(result.end);
    expect(trace.console.map(({ byte }) => byte)).toEqual(printed);
    expect([...trace.notes]).toEqual(notes);
    const planned = scenarioInputs(scenario);
    expect(inputsFromTrace(trace)).toHaveLength(planned.length - result.notReached.length);
    const copy = copyTrace(trace, join(dirname(trace.path), 'copy.djvm'));
    expect(copy.header).toEqual(trace.header);
    expect(copy.end).toEqual(trace.end);
    expectPrefix(trace, copy);
    expect(STREAMS.map((stream) => copy[stream].length)).toEqual(STREAMS.map((stream) => trace[stream].length));
  });
});

function expectSameConfig(a: MachineConfig, b: MachineConfig): void {
  const named = (config: MachineConfig) => ({ ...config, ...names(config) });
  expect(named(a)).toEqual(named(b));
  for (const role of ROLES) expect(Buffer.compare(a[role]!.bytes, b[role]!.bytes), role).toBe(0);
}
const names = (config: MachineConfig) => Object.fromEntries(ROLES.map((role) => [role, config[role]?.name]));

/** Something that happens to a file. Numbers are reduced to its length. */
type Damage =
  | { readonly kind: 'flip'; readonly at: number; readonly mask: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'lose' | 'repeat'; readonly at: number; readonly length: number }
  | { readonly kind: 'overwrite' | 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'move'; readonly at: number; readonly length: number; readonly to: number };
const length = fc.oneof(fc.integer({ min: 1, max: 64 }), fc.integer({ min: 1, max: 100_000 }));
const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 });
const at = fc.nat();
const DAMAGE: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ kind: fc.constant('flip' as const), at, mask: fc.integer({ min: 1, max: 255 }) }),
  fc.record({ kind: fc.constant('cut' as const), at }),
  fc.record({ kind: fc.constantFrom('lose' as const, 'repeat' as const), at, length }),
  fc.record({ kind: fc.constantFrom('overwrite' as const, 'insert' as const), at, bytes }),
  fc.record({ kind: fc.constant('move' as const), at, length, to: at }),
);

function damaged(whole: Uint8Array, damage: Damage): Uint8Array {
  const from = damage.at % whole.length;
  const rest = (skip: number) => whole.subarray(Math.min(whole.length, from + skip));
  const head = whole.subarray(0, from);
  switch (damage.kind) {
    case 'flip':
      return whole.map((byte, n) => (n === from ? byte ^ damage.mask : byte));
    case 'cut':
      return head;
    case 'lose':
      return Buffer.concat([head, rest(damage.length)]);
    case 'repeat':
      return Buffer.concat([head, rest(0).subarray(0, damage.length), rest(0)]);
    case 'overwrite':
      return Buffer.concat([head, damage.bytes, rest(damage.bytes.length)]);
    case 'insert':
      return Buffer.concat([head, damage.bytes, rest(0)]);
    case 'move': {
      const without = Buffer.concat([head, rest(damage.length)]);
      const to = damage.to % (without.length + 1);
      return Buffer.concat([without.subarray(0, to), rest(0).subarray(0, damage.length), without.subarray(to)]);
    }
  }
}

test('a damaged trace is refused or located', async () => {
  const name = 'a damaged trace is refused or located';
  const arbitrary = fc.record({
    scenario: scenarios(ONE_ROUND),
    damages: fc.array(DAMAGE, { minLength: 1, maxLength: 40, size: 'max' }),
  });
  const reproduce = ({ scenario }: { scenario: Parameters<typeof scenarioCommand>[0] }) => scenarioCommand(scenario);
  let located = 0;
  await check({ name, runs: 8, reproduce }, arbitrary, async ({ scenario, damages }) => {
    const { trace } = await recorder.record(scenario);
    const whole = new Uint8Array(readFileSync(trace.path));
    const original = openTraceBytes('whole', whole);
    let replayed = false;
    for (const damage of damages) {
      const changed = damaged(whole, damage);
      const where = firstDifference(whole, changed);
      if (where === undefined) continue;
      const found = open(changed);
      if (found instanceof TraceError) {
        expect(['damaged', 'not-a-trace', 'empty'], found.message).toContain(found.kind);
        continue;
      }
      expect(found.damage, `byte ${where} of ${whole.length} changed (${damage.kind}), not found`).toBeDefined();
      expect(found.damage!.offset).toBeLessThanOrEqual(where);
      expect(found.header).toEqual(original.header);
      expectPrefix(original, found);
      located++;
      if (replayed || !complete(found)) continue;
      // What is left is a recording of its own.
      replayed = true;
      expect(replayTrace(found)).toMatchObject({ ok: true, end: found.last });
    }
  });
  expect(located).toBeGreaterThan(10);
});

function open(bytes: Uint8Array): Trace | TraceError {
  try {
    return openTraceBytes('damaged', bytes, { thorough: true });
  } catch (error) {
    if (error instanceof TraceError) return error;
    throw error;
  }
}

function firstDifference(a: Uint8Array, b: Uint8Array): number | undefined {
  const common = Math.min(a.length, b.length);
  if (Buffer.compare(a.subarray(0, common), b.subarray(0, common)) === 0)
    return a.length === b.length ? undefined : common;
  return a.findIndex((byte, n) => byte !== b[n]);
}

function complete(trace: Trace): boolean {
  try {
    return ROLES.every((role) => trace.image(role) !== undefined);
  } catch (error) {
    expect(error).toBeInstanceOf(TraceError);
    return false;
  }
}

/** What `part` holds is what `whole` holds, as far as it goes. */
function expectPrefix(whole: Trace, part: Trace): void {
  for (const stream of STREAMS) expect([...part[stream]]).toEqual(whole[stream].slice(0, part[stream].length));
  for (const n of part.checkpoints.keys()) {
    const [a, b] = [whole.checkpoint(n), part.checkpoint(n)];
    expect(b.digest).toBe(a.digest);
    expect(Buffer.compare(a.state, b.state)).toBe(0);
    expect([...b.pages.keys()]).toEqual([...a.pages.keys()]);
    for (const [index, page] of b.pages) expect(Buffer.compare(page.bytes, a.pages.get(index)!.bytes)).toBe(0);
  }
  if (part.end) expect(part.end).toEqual(whole.end);
}
