/** How a recording ends, as its user reads it: resets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { assemble } from '../../engine/index.ts';
import { EXIT } from '../exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-record-'));
afterAll(() => rmSync(folder, { recursive: true }));
const env = { XDG_DATA_HOME: folder };

let count = 0;
/** Records firmware that is this program. */
function record(program: string, ...flags: string[]) {
  const file = join(folder, `${count++}.bin`);
  writeFileSync(file, assemble(program, 0x8000_0000).bytes);
  return cli(['record', '-bios', file, '-m', '2', '-smp', '1', '-o', `${file}.djvm`, ...flags], { env });
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
