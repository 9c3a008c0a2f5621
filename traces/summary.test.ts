import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { openTrace, openTraceBytes, readTraceSummary, TraceError } from './index.ts';
import { SAMPLE, SAMPLE_END, traceBytes } from './trace.fixtures.ts';

/** Bytes read from files, and how often a trace was opened. */
const work = { bytes: 0, opened: 0 };
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const readSync = ((...args: Parameters<typeof fs.readSync>) => {
    const count = fs.readSync(...args);
    work.bytes += count;
    return count;
  }) as typeof fs.readSync;
  return { ...fs, readSync };
});
vi.mock('./reader.ts', async (original) => {
  const reader = await original<typeof import('./reader.ts')>();
  const openTrace: typeof reader.openTrace = (path, options) => {
    work.opened++;
    return reader.openTrace(path, options);
  };
  return { ...reader, openTrace };
});

const folder = mkdtempSync(join(tmpdir(), 'dejavm-summary-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'a.djvm');

function summaryOf(bytes: Uint8Array) {
  writeFileSync(path, bytes);
  Object.assign(work, { bytes: 0, opened: 0 });
  return readTraceSummary(path);
}

const whole = traceBytes(SAMPLE, SAMPLE_END);

describe('a summary', () => {
  it('has what the open trace has, for a few reads', () => {
    const noise = Uint8Array.from({ length: 2 ** 21 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 13);
    const large = traceBytes(SAMPLE, SAMPLE_END, [{ role: 'kernel', name: 'k', bytes: noise }]);
    const { header, end, last, damage, sizeBytes } = openTraceBytes('t', large);
    expect(summaryOf(large)).toStrictEqual({ header, end, last, damage, sizeBytes });
    expect(work.opened).toBe(0);
    expect(work.bytes).toBeLessThan(16_384);
  });

  it('is that of the open trace where nothing was finished, at any byte where it was cut off', () => {
    for (let length = 0; length < whole.length; length += 13) {
      const bytes = whole.subarray(0, length);
      let opened: unknown;
      try {
        const { header, end, last, damage } = openTraceBytes(path, bytes);
        opened = { header, end, last, damage };
      } catch (error) {
        expect(error).toBeInstanceOf(TraceError);
        expect(() => summaryOf(bytes)).toThrow((error as TraceError).message);
        continue;
      }
      expect(summaryOf(bytes)).toMatchObject(opened as object);
      expect(work.opened).toBe(1);
    }
  });

  it('never says what a changed byte has damaged', () => {
    for (let at = 0; at < whole.length; at++) {
      const changed = whole.slice();
      changed[at]! ^= 1 << (at % 8);
      let summary: ReturnType<typeof readTraceSummary>;
      try {
        summary = summaryOf(changed);
      } catch (error) {
        expect(error).toBeInstanceOf(TraceError);
        continue;
      }
      expect(summary.header).toStrictEqual(openTraceBytes('t', whole).header);
      if (summary.end) expect(summary.end).toStrictEqual(SAMPLE_END);
      else expect(summary.damage).toBeDefined();
    }
  });
});

it('opening reads the file too', () => {
  summaryOf(whole);
  openTrace(path);
  expect(work.opened).toBe(1);
});
