/**
 * Debian's U-Boot and Linux, unchanged, as guests of Lazarus: to their prompts, with somebody typing, through
 * recoveries of the hypervisor below them; recorded live and replayed with every digest compared. Needs apt (see
 * debian.ts).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MachineConfig, noteName } from '../../../engine/index.ts';
import type { PlannedInput } from '../../../replay/index.ts';
import { openTrace } from '../../../traces/index.ts';
import { consoleOfGuest } from '../../campaigns/index.ts';
import { fetchPeers, type Peers } from './debian.ts';
import { hostedLinux, hostedUBoot, Watched } from './guest.ts';
import { PROMPT } from './initramfs.ts';
import { printedIn, recordSession, replaySession, type Step } from './terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-guest-'));
afterAll(() => rmSync(folder, { recursive: true }));
let peers: Peers;
beforeAll(() => {
  peers = fetchPeers();
});

const MECHANISMS = ['rehype', 'nilihype'] as const;

/** Failstops of whichever hart executes the k-th hypervisor instruction behind each of these moments. */
const failstops = (count: number, from: number, apart: number): PlannedInput[] =>
  Array.from({ length: count }, (_, n) => ({
    trigger: { kind: 'hypervisor', after: from + n * apart, k: 1 + ((n * 53) % 997) },
    event: { kind: 'fault', fault: { model: 'failstop', hart: -1 } },
  }));

interface Play {
  readonly name: string;
  readonly config: MachineConfig;
  readonly steps: readonly Step[];
  readonly planned?: readonly PlannedInput[];
  readonly until?: 'last step' | 'halted';
  readonly digestEvery: number;
}

/** Records, replays with all digests compared, and returns the recording. */
async function play({ name, config, steps, planned = [], until = 'last step', digestEvery }: Play) {
  const path = join(folder, `${name}.djvm`);
  const pace = { maxMoment: 4_000_000_000, digestEvery, checkpointEvery: 200_000_000 };
  const { recorded, shown } = await recordSession({ path, config, steps, planned, until, ...pace });
  expect(recorded.notReached).toEqual([]);
  const trace = openTrace(path);
  expect(trace.notes.filter(({ code }) => noteName(code) === 'RESUMED')).toHaveLength(planned.length);
  const replayed = replaySession(path);
  expect(replayed).toMatchObject({ ok: true, end: { moment: recorded.end.moment, ticks: recorded.end.ticks } });
  expect(replayed.digestsCompared).toBeGreaterThan(recorded.end.moment / digestEvery - 1);
  return { recorded, shown, printed: printedIn(path) };
}

describe('U-Boot', () => {
  const UBOOT: readonly Step[] = [
    { waitFor: 'U-Boot ' },
    // A recovery may speak in the middle of the line.
    { waitFor: 'Hit', type: '\r' },
    { waitFor: '\n=> ', type: 'setexpr x 0x1234 * 3; echo is $x\r' },
    { waitFor: 'is 369c' },
    { waitFor: '\n=> ', type: 'mw.l 0x81000000 deadbeef 4; md.l 0x81000000 4; fdt addr $fdtcontroladdr\r' },
    { waitFor: '\n=> ', type: 'fdt list /cpus/cpu@0\r' },
    { waitFor: '\n=> ' },
  ];

  it.each([1, 8])('runs on %i harts to its prompt, and obeys through a recovery', async (harts) => {
    const planned = failstops(1, 21_000_000, 1);
    const { shown } = await play({
      name: `u-boot-${harts}`,
      config: hostedUBoot(peers, harts),
      steps: UBOOT,
      planned,
      digestEvery: 1_000_000,
    });
    expect(shown[5]).toContain('81000000: deadbeef deadbeef deadbeef deadbeef');
    expect(shown[6]).toContain('riscv,isa = "rv64imafdc_zicntr_zicsr_zifencei_sstc"');
  });

  describe.each(MECHANISMS)('by %s', (mechanism) => {
    it.each([1, 2])('prints the same whatever hypervisor instruction failed, on %i harts', (harts) => {
      const config = hostedUBoot(peers, harts, `recovery=${mechanism}`);
      const whole = new Watched(config);
      expect(whole.until('stop autoboot', 60_000_000)).toBe(true);
      const golden = consoleOfGuest(whole.console);
      const swept = new Watched(config);
      expect(swept.until('Model', 60_000_000)).toBe(true);
      expect(swept.sweep({ golden, stride: 53, tries: 100, more: 40 })).toEqual([]);
    });
  });
});

describe('Linux', () => {
  /** A command, and what its output must contain. */
  const COMMANDS = [
    ['echo $((6 * 7)) apples', '42 apples'],
    ['cat /proc/cpuinfo', /isa\s*: rv64imafdc_\S*_sstc\r\nmmu\s*: sv(39|48|57)\r/],
    // Floating point, in a userland that passes it in registers.
    ['awk "BEGIN { print 355 / 113 }"', '3.14159'],
    ['gzip -c /bin/busybox | gunzip -c | cmp - /bin/busybox && echo the same', /\nthe same/],
    ['sleep 1; grep -c . /proc/meminfo', /\n\d+\r/],
  ] as const;
  const steps: readonly Step[] = [
    { waitFor: 'Linux version ' },
    ...COMMANDS.map(([text]): Step => ({ waitFor: PROMPT, type: `${text}\n` })),
    { waitFor: PROMPT, type: 'poweroff -f\n' },
    { waitFor: 'reboot: Power down' },
  ];

  const config = (mechanism: string) => hostedLinux(peers, 1, `recoveries=1000 recovery=${mechanism}`);
  /**
   * What it prints up to its prompt, but for the mechanism's name, a time that it measures, and a line that comes when
   * it comes.
   */
  const boot = (console: string, mechanism: string): string =>
    consoleOfGuest(console)
      .split(PROMPT)[0]!
      .replaceAll(`recovery=${mechanism}`, 'recovery=')
      .replace(/(deferred pages initialised in )\d+ms/, '$1some ms')
      .replace('random: crng init done\r\n', '');
  let golden: string;

  it('boots to a shell', () => {
    const whole = new Watched(config('none'));
    expect(whole.until(PROMPT, 2_000_000_000)).toBe(true);
    golden = boot(whole.console, 'none');
  });

  it.each(MECHANISMS)('prints the same through 40 recoveries by %s, obeys, and powers off', async (mechanism) => {
    const { recorded, shown, printed } = await play({
      name: `linux-${mechanism}`,
      config: config(mechanism),
      steps,
      planned: failstops(40, 120_000_000, 14_000_000),
      until: 'halted',
      digestEvery: 10_000_000,
    });
    expect(recorded.stop).toEqual({ kind: 'halted', status: 'pass', code: 0 });
    expect(boot(printed, mechanism)).toBe(golden);
    expect(printed).not.toMatch(/unhandled signal|Oops|WARNING:|BUG:|Call Trace/);
    for (const [n, [text, answer]] of COMMANDS.entries()) expect(shown[n + 2], text).toMatch(answer);
  });
});
