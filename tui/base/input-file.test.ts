/**
 * What a command line names and is no file is refused at once, by every verb that reads files; a shell's own pipe is
 * read.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cli } from '../cli/test-io.ts';
import { EXIT } from './exit-codes.ts';
import { packageFile } from './package-root.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-input-'));
afterAll(() => rmSync(folder, { recursive: true }));

const fifo = join(folder, 'fifo');
execFileSync('mkfifo', [fifo]);
const long = join(folder, 'long.yaml');
writeFileSync(long, `# ${'x'.repeat(2 ** 21)}`);

const READERS: readonly (readonly [string, (path: string) => string[]])[] = [
  ['-bios', (path) => ['record', '-bios', path]],
  ['-kernel', (path) => ['record', '-kernel', path]],
  ['-initrd', (path) => ['record', '-initrd', path]],
  ['-dtb', (path) => ['record', '-dtb', path]],
  ['-drive', (path) => ['record', '-drive', `file=${path}`]],
  ['a plan', (path) => ['campaign', path]],
];

describe.each(READERS)('%s', (_what, argv) => {
  test.each([
    ['a FIFO', fifo, 'is not a regular file'],
    ['a device that never ends', '/dev/zero', 'is a device; expected a file'],
    ['a folder', folder, 'is a folder; expected a file'],
    ['nothing', join(folder, 'none'), 'no such file'],
  ])('%s', async (_of, path, why) => {
    const { code, out, err } = await cli(argv(path), { env: { XDG_DATA_HOME: folder } });
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toMatch(/^dejavm: .+\n$/);
    expect(err).toContain(`${path}: ${why}`);
  });
});

test('a plan is not read further than a plan can be long', async () => {
  expect((await cli(['campaign', long])).err).toContain(`${long}: is too long: expected at most 1048576 bytes`);
});

test('a pipe that the shell made is read to its end', () => {
  const line = `"$1" "$2" campaign <(printf 'name: x\\nlast: mistake\\n')`;
  const argv = ['-c', line, 'bash', process.execPath, packageFile('tui/main.ts')];
  const { stderr, status } = spawnSync('bash', argv, { encoding: 'utf8', cwd: folder });
  expect(stderr).toContain(":2:1: unknown key 'last'");
  expect(status).toBe(EXIT.usage);
});
