import { expect, it } from 'vitest';
import { type CpioEntry, writeCpio } from './cpio.ts';

/** An independent reader: follows the format's text as the kernel does. */
function readCpio(bytes: Uint8Array): { path: string; mode: number; device: string; content: string; inode: number }[] {
  const text = Buffer.from(bytes).toString('latin1');
  const found = [];
  for (let at = 0; ; ) {
    expect(at % 4).toBe(0);
    expect(text.slice(at, at + 6)).toBe('070701');
    const field = (n: number) => Number.parseInt(text.slice(at + 6 + 8 * n, at + 14 + 8 * n), 16);
    const path = text.slice(at + 110, at + 110 + field(11) - 1);
    expect(text[at + 110 + field(11) - 1]).toBe('\0');
    const start = (at + 110 + field(11) + 3) & ~3;
    const content = text.slice(start, start + field(6));
    if (path === 'TRAILER!!!') {
      expect(bytes.length).toBe(start);
      return found;
    }
    found.push({ path, mode: field(1), device: `${field(9)}:${field(10)}`, content, inode: field(0) });
    at = (start + field(6) + 3) & ~3;
  }
}

const ENTRIES: readonly CpioEntry[] = [
  { path: 'bin', kind: 'directory' },
  { path: 'bin/tool', kind: 'file', bytes: Buffer.from('content'), executable: true },
  { path: 'bin/empty', kind: 'file', bytes: new Uint8Array(), executable: false },
  { path: 'bin/name', kind: 'link', target: 'tool' },
  { path: 'console', kind: 'device', major: 5, minor: 1 },
];

it('an archive reads back with types, permissions, contents and device numbers', () => {
  expect(readCpio(writeCpio(ENTRIES)).map(({ inode: _, ...rest }) => rest)).toEqual([
    { path: 'bin', mode: 0o040755, device: '0:0', content: '' },
    { path: 'bin/tool', mode: 0o100755, device: '0:0', content: 'content' },
    { path: 'bin/empty', mode: 0o100644, device: '0:0', content: '' },
    { path: 'bin/name', mode: 0o120777, device: '0:0', content: 'tool' },
    { path: 'console', mode: 0o020666, device: '5:1', content: '' },
  ]);
});

it('inodes differ, or the kernel would link files to each other', () => {
  const inodes = readCpio(writeCpio(ENTRIES)).map(({ inode }) => inode);
  expect(new Set(inodes).size).toBe(ENTRIES.length);
});
