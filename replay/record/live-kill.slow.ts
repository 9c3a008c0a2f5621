/** What a live session keeps when its recorder is killed: nobody types the same again. */
import { spawn } from 'node:child_process';
import { expect, it } from 'vitest';
import { openTrace } from '../../traces/index.ts';
import { ECHO, machineOf, traceStore } from '../replay.fixtures.ts';
import { replayTrace } from '../verify/verify.ts';

const store = traceStore();
const LINES = 40;
const line = (n: number) => `line ${n}\n`;
const ALL = Array.from({ length: LINES }, (_, n) => line(n)).join('');

/** Records a guest that echoes; prints the echo, and '?' whenever nothing was typed since the recorder asked last. */
const recorder = (path: string) => `
  import { writeSync } from 'node:fs';
  import { record } from ${JSON.stringify(new URL('./record.ts', import.meta.url).href)};
  const bios = { name: 'echo.elf', bytes: Uint8Array.fromBase64(${JSON.stringify(ELF)}) };
  const typed = [];
  process.stdin.on('data', (bytes) => typed.push(bytes));
  await record({
    path: ${JSON.stringify(path)},
    config: { harts: 2, ramBytes: 4 << 20, quantum: { policy: 'fixed', ticks: 1000, seed: 0n }, append: '', bios },
    planned: [], maxMoment: 1e15, digestEvery: 10_000_000, checkpointEvery: 100_000_000, commandLine: [],
    pollConsole() {
      const bytes = typed.shift();
      if (!bytes) writeSync(1, '?');
      return bytes;
    },
    onEvent: (event) => event.kind === 'console' && writeSync(1, String.fromCharCode(event.byte)),
  });
`;
const ELF = Buffer.from(machineOf(ECHO).bios!.bytes).toString('base64');

/**
 * Types the lines, each when the one before was echoed. Kills once all are, and the recorder has asked `asks` times
 * since.
 */
async function session(path: string, asks: number): Promise<void> {
  const args = ['--no-warnings', '--input-type=module', '--eval', recorder(path)];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  let echo = '';
  let expected = '>';
  let typed = 0;
  let asked = 0;
  const signal = await new Promise((resolve) => {
    child.on('exit', (_, by) => resolve(by));
    child.stdout.on('data', (chunk: Buffer) => {
      echo += chunk.toString().replaceAll('?', '');
      if (echo !== expected) return;
      if (typed < LINES) {
        child.stdin.write(line(typed));
        expected += line(typed++);
      } else if ((asked += chunk.toString().split('?').length - 1) >= asks) child.kill('SIGKILL');
    });
  });
  expect(signal).toBe('SIGKILL');
}

it('has every line that was typed, and vouches for all but the last, at any time', async () => {
  const path = store.path();
  await session(path, 0);
  const trace = openTrace(path);
  expect(Buffer.concat(trace.inputs.map(({ data }) => (data as { bytes: Uint8Array }).bytes)).toString()).toBe(ALL);
  const lastTyped = trace.inputs.at(-1)!;
  expect(trace.last.ticks).toBeGreaterThanOrEqual(lastTyped.ticks);
  expect(replayTrace(trace)).toMatchObject({ ok: true, end: trace.last });
});

it('vouches for the last one, too, as soon as the guest waits for the next', async () => {
  const path = store.path();
  await session(path, 2);
  const trace = openTrace(path);
  expect(trace.last.ticks).toBeGreaterThan(trace.inputs.at(-1)!.ticks);
  expect(Buffer.from(trace.console.map(({ byte }) => byte)).toString()).toBe(`>${ALL}`);
  expect(replayTrace(trace)).toMatchObject({ ok: true, end: trace.last });
});
