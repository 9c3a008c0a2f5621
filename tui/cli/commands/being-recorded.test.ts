/** What verbs say of a trace that somebody is still writing, and of one whose recorder is gone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { assemble, RAM_BASE } from '../../../engine/index.ts';
import { createTraceWriter, openTrace } from '../../../traces/index.ts';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-recorded-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('a trace that is being recorded is called so, and the terminal UI marks its end', async () => {
  const [bios, whole, path] = ['loop.bin', 'whole.djvm', 'part.djvm'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(bios, assemble('loop: j loop', RAM_BASE).bytes);
  await cli(['record', '-bios', bios, '-o', whole, '--max-moment', '3000', '--digest-every', '1000']);
  const { header, image, digests } = openTrace(whole);
  const writer = createTraceWriter(
    path,
    header,
    header.images.map(({ role }) => ({ role, ...image(role)! })),
  );
  writer.digest(digests.find(({ moment }) => moment >= 1_000)!);
  writer.flush();
  const frame = () => cli(['tui', path, '--frame', '--size', '80x12', '--script', 'G']);

  const during = await frame();
  expect(during.code).toBe(EXIT.ok);
  expect(during.err).toMatch(
    /^dejavm: warning: \S+ is still being recorded; using what is written so far, up to .*\n$/,
  );
  expect(during.out).toMatch(/^moment 1,0\d\d of 1,0\d\d\+ /);
  expect(during.out).toMatch(/\nrecorded up to here so far at 1,0\d\d .*recording {2}\? help/);

  writer.abandon();
  const after = await frame();
  expect(after.err).toMatch(/is truncated at byte \d+: the file ends without an end record/);
  expect(after.out).toMatch(/^moment 1,0\d\d of 1,0\d\d /);
  expect(after.out).toMatch(/\nthe recording was cut off here at 1,0\d\d /);
});
