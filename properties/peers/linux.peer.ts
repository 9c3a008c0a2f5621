/**
 * Debian's riscv64 kernel and busybox, unchanged, from OpenSBI to a shell: commands are typed, their answers checked,
 * and the machine is powered off; the whole of it is recorded live and replayed. Needs apt (see debian.ts).
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fetchPeers, type Peers } from './debian.ts';
import { PROMPT } from './initramfs.ts';
import { linuxMachine } from './linux.ts';
import { recordSession, replaySession, type Step } from './terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-linux-'));
afterAll(() => rmSync(folder, { recursive: true }));
let peers: Peers;
beforeAll(() => {
  peers = fetchPeers();
}, 600_000);

/** A command, and what its output must contain. */
type Command = readonly [text: string, answer: string | RegExp];

/** Types each command at a prompt, and at last the one that powers off. */
const typed = (commands: readonly Command[]): readonly Step[] => [
  { waitFor: 'Linux version ' },
  ...commands.map(([text]): Step => ({ waitFor: PROMPT, type: `${text}\n` })),
  { waitFor: PROMPT, type: 'poweroff -f\n' },
  { waitFor: 'reboot: Power down' },
];

it.each([1, 4])(
  'Linux boots %i harts to a shell, obeys, and powers off; replay repeats it all',
  async (harts) => {
    const sha256 = createHash('sha256').update(peers.busybox.bytes).digest('hex');
    const quotients = [355 / 113, 1 / 3 - 2e-7 * 1e5].map((value) => value.toFixed(12)).join(' ');
    const commands: readonly Command[] = [
      ['echo $((6 * 7)) apples', '42 apples'],
      ['uname -m', 'riscv64'],
      ['grep -c ^processor /proc/cpuinfo', new RegExp(`\n${harts}\r\n`)],
      ['cat /proc/cpuinfo', /isa\s*: rv64imafdc.*\r\nmmu\s*: sv/],
      // Floating point, in a userland that passes it in registers.
      ['awk "BEGIN { printf \\"%.12f %.12f\\", 355 / 113, 1 / 3 - 2e-7 * 1e5 }"', quotients],
      ['for n in 1 2 3 4; do sha256sum /bin/busybox & done; wait', sha256],
      ['gzip -c /bin/busybox | gunzip -c | sha256sum', sha256],
      ['grep -c . /proc/interrupts && sleep 2 && cut -d. -f1 /proc/uptime', /\n\d+\r\n\d+\r\n/],
    ];
    const path = join(folder, `linux-${harts}.djvm`);
    const { recorded, shown } = await recordSession({
      path,
      config: linuxMachine(peers, harts),
      steps: typed(commands),
      until: 'halted',
      maxMoment: 6_000_000_000,
      digestEvery: 10_000_000,
      checkpointEvery: 500_000_000,
    });
    expect(recorded.stop).toEqual({ kind: 'halted', status: 'pass', code: 0 });
    expect(recorded.console).not.toMatch(/unhandled signal|Oops|WARNING:|BUG:|Call Trace/);
    for (const [n, [text, answer]] of commands.entries()) expect(shown[n + 2], text).toMatch(answer);
    const replayed = replaySession(path);
    expect(replayed).toMatchObject({ ok: true, end: { moment: recorded.end.moment, ticks: recorded.end.ticks } });
    expect(replayed.digestsCompared).toBeGreaterThan(recorded.end.moment / 10_000_000 - 1);
  },
  600_000,
);
