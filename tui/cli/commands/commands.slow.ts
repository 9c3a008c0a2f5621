/**
 * The verbs on a real machine: firmware, Lazarus and two VMs, in process, with the trace folder in a temporary place.
 * Bounded by --max-moment. What the runs mean is replay's business; here it is what people see, and the exit codes.
 */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createTraceWriter, openTrace } from '../../../traces/index.ts';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-commands-'));
const env = { XDG_DATA_HOME: folder };
const LENGTH = 1_500_000;
const POKED_AT = 700_000;
const golden = join(folder, 'golden.djvm');
const poked = join(folder, 'poked.djvm');
const SHORT = ['--max-moment', String(LENGTH), '--digest-every', '100k', '--checkpoint-every', '500k'];

let recorded: Awaited<ReturnType<typeof cli>>;
beforeAll(async () => {
  process.env.XDG_DATA_HOME = folder;
  recorded = await cli(['record', '-o', golden, ...SHORT], { env });
  await cli(['record', '-o', poked, ...SHORT, '--poke', `${POKED_AT}:0x80700000:5a`], { env });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('record', () => {
  test('prints the console on standard output and says how to replay on standard error', () => {
    expect(recorded.code).toBe(EXIT.ok);
    expect(recorded.out.length).toBeGreaterThan(20);
    expect(recorded.err).toContain(`recorded ${LENGTH.toLocaleString('en')} instructions`);
    expect(recorded.err).toContain(`dejavm replay ${golden}`);
  });

  test('Ctrl-C ends the recording in good order: exit 130 and a whole trace', async () => {
    const path = join(folder, 'interrupted.djvm');
    let interrupt: (() => void) | undefined;
    let printed = 0;
    const { code, err } = await cli(['record', '-o', path, '--max-moment', '200M'], {
      env,
      onInterruptible: (stop) => {
        interrupt = stop;
      },
      onOut: (text) => {
        printed += text.length;
        if (printed > 40) interrupt?.();
      },
    });
    expect(code).toBe(EXIT.interrupted);
    expect(err).toContain(path);
    const verified = await cli(['verify', path, '--structure-only'], { env });
    expect([verified.code, verified.err]).toEqual([EXIT.ok, '']);
    expect(verified.out).not.toContain('cut off');
    expect(err).toContain('latest stays the trace it was');
    expect((await cli(['info', 'latest'], { env })).out).toContain(poked);
  });

  test('--max-time ends a recording, and bounds what looks at it', async () => {
    const path = join(folder, 'short.djvm');
    const { code, err } = await cli(['record', '-o', path, '--max-time', '300us'], { env });
    expect(code).toBe(EXIT.ok);
    expect(err).toContain('stopped at --max-time');
    expect(JSON.parse((await cli(['info', path, '--json'], { env })).out).last.ticks).toBe(300_000);
    for (const limit of [
      ['--max-time', '200us'],
      ['--max-moment', '150k'],
    ]) {
      for (const verb of ['replay', 'verify']) {
        const { code, out } = await cli([verb, path, ...limit], { env });
        expect(code).toBe(EXIT.ok);
        expect(out).toMatch(/replay agrees: .*; the recording goes on to moment \d{3},\d{3}\n/);
      }
    }
    const wrong = await cli(['record', '-o', path, '--max-time', '20'], { env });
    expect([wrong.code, wrong.err]).toEqual([EXIT.usage, expect.stringContaining('expected virtual time such as')]);
  });

  test('bytes from a pipe become recorded console input', async () => {
    const path = join(folder, 'typed.djvm');
    const stdin = new PassThrough();
    stdin.end('hello');
    await cli(['record', '-o', path, ...SHORT, '--console'], { env, stdin });
    const info = JSON.parse((await cli(['info', path, '--json'], { env })).out);
    expect(info.counts.inputs).toBeGreaterThan(0);
    expect((await cli(['replay', path], { env })).code).toBe(EXIT.ok);
  });

  test('a trace folder that cannot be written costs a recording with -o nothing but latest', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    process.env.XDG_DATA_HOME = file;
    const { code, err } = await cli(['record', '-o', join(folder, 'kept.djvm'), '--max-moment', '100k'], { env });
    process.env.XDG_DATA_HOME = folder;
    expect(code).toBe(EXIT.ok);
    expect(err).toMatch(/^dejavm: warning: cannot remember .*kept\.djvm as latest: .*; set XDG_DATA_HOME/);
    expect((await cli(['replay', join(folder, 'kept.djvm')], { env })).code).toBe(EXIT.ok);
  });

  test.each([
    ['a folder that is not there', join(folder, 'no folder', 'run.djvm')],
    ['a device that is always full', '/dev/full'],
  ])('%s is one line and exit 2', async (_what, path) => {
    const { code, err } = await cli(['record', '-o', path, ...SHORT], { env });
    expect(code).toBe(EXIT.usage);
    expect(err).toContain(path);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });

  test.each([
    ['an empty kernel', ''],
    ['a kernel that is no ELF file for this machine', '\x7fELF but not really'],
  ])('%s is one line and exit 2', async (_what, content) => {
    const path = join(folder, 'kernel.elf');
    writeFileSync(path, content);
    const { code, err } = await cli(['record', '-kernel', path, '-o', join(folder, 'x.djvm'), ...SHORT], { env });
    expect([code, err.trimEnd().split('\n').length]).toEqual([EXIT.usage, 1]);
    expect(err).toContain('kernel.elf');
  });

  test('too little RAM says how much is needed', async () => {
    const { code, err } = await cli(['record', '-m', '64K', '-o', join(folder, 'x.djvm'), ...SHORT], { env });
    expect([code, err.trimEnd().split('\n').length]).toEqual([EXIT.usage, 1]);
  });
});

describe('replay', () => {
  test('agrees on every digest, from the start and from a checkpoint', async () => {
    const whole = await cli(['replay', golden], { env });
    expect(whole.code).toBe(EXIT.ok);
    expect(whole.out).toMatch(/^replay agrees: \d+ digests compared up to moment 1,500,000\n$/);
    const { code, out } = await cli(['replay', golden, '--from-checkpoint', '2', '--json'], { env });
    expect(code).toBe(EXIT.ok);
    expect(JSON.parse(out)).toMatchObject({ ok: true, end: { moment: LENGTH } });
  });

  test('-g says where the machine is', async () => {
    const { code, out } = await cli(['replay', golden, '-g', '1M'], { env });
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(/^moment 1,000,000, .* of virtual time\n/);
    expect(out.match(/^\* hart \d/gm)).toHaveLength(1);
  });

  test('a moment past the end names the last one', async () => {
    const { code, err } = await cli(['replay', golden, '-g', '2M'], { env });
    expect(code).toBe(EXIT.usage);
    expect(err).toContain('has moments 0 to 1500000');
  });

  test('a checkpoint that is not there is refused', async () => {
    expect((await cli(['replay', golden, '--from-checkpoint', '99'], { env })).code).toBe(EXIT.usage);
  });
});

describe('rerun', () => {
  test('records a run anew: exit 0 when nothing differs', async () => {
    const path = join(folder, 'anew.djvm');
    const { code, out, err } = await cli(['rerun', poked, '-o', path], { env });
    expect([code, err]).toEqual([EXIT.ok, '']);
    expect(out).toContain(`recorded anew: ${LENGTH.toLocaleString('en')} instructions`);
    expect(out).toMatch(/\n {2}state +\d+ equal\n/);
    expect(out).toMatch(/\nthe runs are equal\n$/);
    expect((await cli(['diff', poked, path], { env })).code).toBe(EXIT.ok);
    expect((await cli(['rerun', poked, '-o', poked], { env })).code).toBe(EXIT.usage);
  });

  test('says at which moment the runs part: exit 1', async () => {
    const { header, notes, end, image, ...trace } = openTrace(golden);
    const images = header.images.map(({ role }) => ({ role, ...image(role)! }));
    const path = join(folder, 'altered.djvm');
    const writer = createTraceWriter(path, { ...header, engineBehaviour: header.engineBehaviour - 1 }, images);
    for (const n of trace.console.keys()) {
      const record = trace.console.at(n)!;
      writer.console(n === 9 ? { ...record, byte: 1 } : record);
    }
    for (const record of notes) writer.note(record);
    for (const record of trace.digests) writer.digest(record);
    writer.finish(end!);
    const anew = ['rerun', path, '-o', join(folder, 'anew.djvm')];
    const { code, out, err } = await cli(anew, { env });
    expect(code).toBe(EXIT.difference);
    const { moment } = trace.console.at(9)!;
    expect(out).toMatch(
      new RegExp(`the runs PART after moment .* and not later than ${moment.toLocaleString('en')}, .*: console\n$`),
    );
    expect(out).toContain(`of engine behaviour ${header.engineBehaviour - 1} (now ${header.engineBehaviour})`);
    expect(err).toContain(`dejavm diff ${path}`);
    const json = JSON.parse((await cli([...anew, '--json'], { env })).out);
    expect(json).toMatchObject({ equal: false, mismatch: { stream: 'console', differsAt: { moment } }, displaced: [] });
    expect((await cli(['replay', path], { env })).code).toBe(EXIT.damaged);
  });
});

describe('info, ls, verify', () => {
  test('info counts what the trace holds and lists its events', async () => {
    const { code, out } = await cli(['info', golden], { env });
    expect(code).toBe(EXIT.ok);
    expect(out).toContain('lazarus.elf');
    expect(out).toMatch(/\d+ firmware up on 2 harts|firmware up on 2 harts/);
    const json = JSON.parse((await cli(['info', golden, '--json'], { env })).out);
    expect(json.last.moment).toBe(LENGTH);
    expect(json.counts.digests).toBeGreaterThanOrEqual(14);
  });

  test('latest is the last trace, and ls marks it', async () => {
    await cli(['record', ...SHORT], { env });
    const { out } = await cli(['ls', '--json'], { env });
    const { traces } = JSON.parse(out);
    expect(traces).toHaveLength(1);
    expect(traces[0]).toMatchObject({ latest: true, moments: LENGTH });
    const here = await cli(['info', 'latest'], { env });
    expect([here.out, here.err]).toEqual([expect.stringContaining(traces[0].path), '']);
    const cwd = vi.spyOn(process, 'cwd').mockReturnValue('/');
    const elsewhere = await cli(['info', 'latest'], { env });
    cwd.mockRestore();
    expect(elsewhere.err).toBe(
      `dejavm: nothing was recorded in this folder yet: latest is ${traces[0].path}, the last one of all\n`,
    );
    expect(elsewhere.out).toBe(here.out);
  });

  test('verify checks structure and replay', async () => {
    const { code, out } = await cli(['verify', golden], { env });
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(/^structure is intact: [\s\S]*replay agrees/);
  });

  test('a truncated trace: verify locates the end and exits 3, the rest replays', async () => {
    const path = join(folder, 'cut.djvm');
    copyFileSync(golden, path);
    truncateSync(path, Math.floor(readFileSync(golden).length * 0.7));
    const verified = await cli(['verify', path], { env });
    expect(verified.code).toBe(EXIT.damaged);
    expect(verified.out).toContain('DAMAGED (truncated)');
    const replayed = await cli(['replay', path], { env });
    expect(replayed.code).toBe(EXIT.ok);
    expect(replayed.err).toContain('warning');
  });
});

describe('diff and bisect', () => {
  test('equal runs: exit 0', async () => {
    const twin = join(folder, 'twin.djvm');
    await cli(['record', '-o', twin, ...SHORT], { env });
    expect((await cli(['diff', golden, twin], { env })).code).toBe(EXIT.ok);
    const { code, out } = await cli(['bisect', golden, twin], { env });
    expect([code, out]).toEqual([EXIT.ok, expect.stringContaining('identical')]);
  });

  test('a planted poke is named by diff and found exactly by bisect: exit 1', async () => {
    const diff = await cli(['diff', golden, poked], { env });
    expect(diff.code).toBe(EXIT.difference);
    expect(diff.out).toContain('700000');
    expect(diff.err).toContain(`dejavm bisect ${golden} ${poked}`);
    const text = await cli(['bisect', golden, poked], { env });
    expect(text.code).toBe(EXIT.difference);
    expect(text.out).toContain('moment 700,000');
    const { moment, differences } = JSON.parse((await cli(['bisect', golden, poked, '--json'], { env })).out);
    expect(moment).toBe(POKED_AT);
    expect(differences[0]).toMatchObject({ where: 'ram', paddr: 0x8070_0000 });
  });
});

describe('tui --frame', () => {
  test('prints the screen after a script', async () => {
    const { code, out } = await cli(['tui', poked, '--script', 'goto 1M; 10s; 3S', '--frame'], { env });
    expect(code).toBe(EXIT.ok);
    const rows = out.split('\n');
    expect(rows[0]).toMatch(/^moment 1,000,007 of 1,500,000/);
    expect(rows.some((row) => /^[> ]hart 0 M/.test(row))).toBe(true);
    expect(rows).toHaveLength(25);
    expect(existsSync(poked)).toBe(true);
  });

  test('the same place looks the same whichever way one came', async () => {
    const frame = async (script: string) => {
      const { out } = await cli(['tui', golden, '--script', script, '--frame'], { env });
      // Marks of change and the message tell of the last move: compare the rest.
      return out
        .split('\n')
        .slice(0, -2)
        .map((row) => row.replaceAll('*', ' '));
    };
    const direct = await frame('goto 900000');
    expect(await frame('goto 1M; 100000S')).toEqual(direct);
    expect(await frame('goto 899,990; 10s')).toEqual(direct);
  });

  test('a script that fails is one line and exit 2', async () => {
    const { code, err } = await cli(['tui', golden, '--script', 'f', '--frame'], { env });
    expect(code).toBe(EXIT.usage);
    expect(err).toContain("this run has no event 'fault'");
  });
});
