/**
 * `dejavm inject` on the real set-up: what people see, the exit codes, and the trace that it leaves. What injections
 * mean is properties/campaigns/injection's business.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-inject-'));
const env = { XDG_DATA_HOME: folder };
process.env.XDG_DATA_HOME = folder;
afterAll(() => rmSync(folder, { recursive: true }));

const AT = ['--at', 'hypercall#40'];

describe('inject', () => {
  test('explains a recovery, and leaves a trace that replays', async () => {
    const path = join(folder, 'hit.djvm');
    const argv = ['inject', '--recovery', 'nilihype', '--fault', 'failstop', ...AT, '--record', path];
    const { code, out, err } = await cli(argv, { env });
    expect(code).toBe(EXIT.ok);
    expect(out).toContain('by an unexpected trap');
    expect(out).toContain('recovered, no VM affected');
    expect(out).toContain(
      'dejavm inject --setup compute --recovery nilihype --enhance all --fault failstop --at hypercall#40',
    );
    expect(err).toContain('it ends with the same digest');
    const replay = await cli(['replay', path], { env });
    expect([replay.code, replay.out]).toEqual([EXIT.ok, expect.stringContaining('replay agrees')]);
  });

  test('of two faults, prints the command that strikes the very same instructions', async () => {
    const two = ['inject', '--fault', 'failstop', ...AT, '--fault', 'register=x10,bit=5', '--at', 'recovery+40%'];
    const first = JSON.parse((await cli([...two, '--json'], { env })).out);
    expect(first.command.slice(-4)).toEqual([
      '--fault',
      'register=x10,bit=5',
      '--at',
      expect.stringMatching(/^detection\+\d+$/),
    ]);
    const again = JSON.parse((await cli([...first.command.slice(1), '--json'], { env })).out);
    expect(again.result.endDigest).toBe(first.result.endDigest);
    expect(again.result.second.hit).toEqual(first.result.second.hit);
    expect(again.command).toEqual(first.command);
  });

  test('leaves the run without the fault as well, to compare with; latest is the one with it', async () => {
    const [golden, faulted] = [join(folder, 'without.djvm'), join(folder, 'with.djvm')];
    const argv = ['inject', '--recovery', 'none', '--fault', 'failstop', ...AT];
    const { err } = await cli([...argv, '--record', faulted, '--golden', golden], { env });
    expect(err).toContain(`the run without the fault is in ${golden} (`);
    expect(err).toContain(`compare the two with: dejavm bisect ${golden} ${faulted}\n`);
    const found = await cli(['bisect', golden, faulted, '--json'], { env });
    const { moment, cause } = JSON.parse(found.out) as { moment: number; cause: string };
    const injected = await cli([...argv, '--json'], { env });
    const { result } = JSON.parse(injected.out) as { result: { hit: { moment: number } } };
    expect([moment, cause]).toEqual([result.hit.moment, expect.stringContaining('fault')]);
    const latest = await cli(['info', 'latest', '--json'], { env });
    expect(JSON.parse(latest.out)).toMatchObject({ path: faulted });
  });

  test('both recordings in one file are refused', async () => {
    const path = join(folder, 'both.djvm');
    const { code, err } = await cli(
      ['inject', '--fault', 'failstop', ...AT, '--record', path, '--golden', join(folder, '.', 'both.djvm')],
      { env },
    );
    expect([code, err]).toEqual([EXIT.usage, expect.stringMatching(/--record and --golden name the same file/)]);
  });

  test('the command that it prints gives the same result; failure is exit code 1', async () => {
    const argv = ['inject', '--recovery', 'none', '--fault', 'failstop', ...AT, '--json'];
    const first = await cli(argv, { env });
    expect(first.code).toBe(EXIT.difference);
    const { command, result } = JSON.parse(first.out) as { command: string[]; result: { endDigest: string } };
    expect(result).toMatchObject({ effect: 'detected', success: false, cause: 'recovery not entered' });
    const again = await cli([...command.slice(1), '--json'], { env });
    expect(JSON.parse(again.out)).toEqual(JSON.parse(first.out));
  });

  test.each([
    [['--fault', 'failstop', ...AT, '--fault', 'failstop'], /two of each .*got 2 --fault and 1 --at/],
    [['--fault', 'failstop', ...AT, '--fault', 'failstop', '--at', 'soon'], /--at soon: the second fault strikes/],
    [['--fault', 'failstop'], /when\? give a trigger/],
    [['--at', '3ms+1'], /which fault\? give one/],
    [['--fault', 'crash', ...AT], /no fault model 'crash'/],
    [['--fault', 'failstop', '--at', '8M+3'], /expected virtual time and hypervisor instruction/],
    [['--fault', 'failstop', '--at', 'soon#x'], /expected a trigger such as/],
    [['--fault', 'failstop', '--at', '1us+1'], /before the hypervisor is up/],
    [['--fault', 'failstop', ...AT, '--setup', 'cloud'], /no set-up 'cloud': expected one of compute/],
    [['--fault', 'failstop', ...AT, '--recovery', 'reboot'], /expected one of none, rehype, nilihype/],
    [['--fault', 'failstop', ...AT, '--enhance', 'luck'], /no enhancement 'luck'/],
    [['--fault', 'device=7,effect=io-error', ...AT], /no such device in virtio slot 7/],
    [['--fault', 'register=x1,bit=0,hart=7', ...AT], /fault on hart 7: the machine has harts 0…1/],
    [['--fault', 'memory=0x10,bit=0', ...AT], /no RAM at this physical address/],
  ])('%j is refused in one line', async (argv, why) => {
    const { code, out, err } = await cli(['inject', ...argv], { env });
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toMatch(why);
    expect(err.trim().split('\n')).toHaveLength(1);
  });
});
