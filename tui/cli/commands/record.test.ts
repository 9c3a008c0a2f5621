/** How a recording ends, as its user reads it: resets, trap loops. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { assemble, readMachineSymbols } from '../../../engine/index.ts';
import { EXIT } from '../../base/exit-codes.ts';
import { builtInImages } from '../machine/images.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-record-'));
afterAll(() => rmSync(folder, { recursive: true }));
const env = { XDG_DATA_HOME: folder };

let count = 0;
const ENTRY = 0x8000_0000;
/** Records firmware that is this program. */
async function record(program: string, ...flags: string[]) {
  const file = join(folder, `${count++}.bin`);
  writeFileSync(file, assemble(program, ENTRY).bytes);
  const trace = `${file}.djvm`;
  const outcome = await cli(['record', '-bios', file, '-m', '2', '-smp', '1', '-o', trace, ...flags], { env });
  return { ...outcome, trace };
}

describe('firmware that resets the machine', () => {
  const RESET = `
    li t0, 0x10000000
    li t1, 65
    sb t1, 0(t0)
    li t0, 0x100000
    li t1, 0x7777
    sw t1, 0(t0)
    j .
  `;

  it('starts over, until the recording is told to end', async () => {
    const { code, out, err } = await record(RESET, '--max-moment', '200');
    expect([code, out]).toEqual([EXIT.ok, expect.stringMatching(/^A{5,}$/)]);
    expect(err).toContain('recorded 200 instructions, stopped at --max-moment');
  });

  it.each(['-no-reboot', '--no-reboot'])('ends the recording with %s', async (flag) => {
    const { code, out, err } = await record(RESET, flag, '--max-moment', '200');
    expect([code, out]).toEqual([EXIT.ok, 'A']);
    expect(err).toContain('the machine halted: reset;');
  });
});

describe('a trap loop', () => {
  /** A handler whose stack is where nothing is. */
  const LOOP = `
    la t0, handler
    csrw mtvec, t0
    li sp, 16
    ebreak
    .balign 4
  handler:
    nop
    sd ra, 0(sp)
  `;

  it('that could go on for ever is told of where the recording ends, and where one goes in it', async () => {
    const pc = assemble(LOOP, ENTRY).symbols.get('handler')! + 4n;
    const said = `hart 0 is in a trap loop: store/AMO access fault in M-mode at pc 0x${pc.toString(16)}, mtval 0x10\n`;
    const { code, err, trace } = await record(LOOP, '--max-moment', '5000');
    expect([code, err]).toEqual([EXIT.ok, expect.stringContaining(`dejavm: warning: ${said}`)]);
    expect((await cli(['replay', trace, '-g', '4000'], { env })).out).toContain(said);
    expect((await cli(['replay', trace, '-g', '4000', '--json'], { env })).out).toContain('"cause": 7');
  });

  it('that ends the recording is named in words, with where it is, and the symbol', async () => {
    const trace = join(folder, 'firmware.djvm');
    const entry = readMachineSymbols(builtInImages()).firmware.address('trap_entry')!;
    const poke = `1M:0x${entry.toString(16)}:00000000`;
    const { code, err } = await cli(['record', '-smp', '2', '-o', trace, '--poke', poke, '--max-moment', '20M'], {
      env,
    });
    expect(code).toBe(EXIT.difference);
    expect(err).toContain('the machine halted: fail: nothing but traps;');
    const place = `pc 0x${entry.toString(16)} trap_entry (entry.S:`;
    expect(err).toContain(`hart 0 is in a trap loop: illegal instruction in M-mode at ${place}`);
    // It waits.
    expect(err).not.toContain('hart 1');
    for (const argv of [
      ['info', trace],
      ['diff', trace, trace],
    ]) {
      expect((await cli(argv, { env })).out, argv[0]).toContain('halted fail: nothing but traps');
    }
  });

  it('is not told of where there is none', async () => {
    expect((await record('j .', '--max-moment', '5000')).err).not.toContain('trap loop');
  });
});
