/**
 * Writes cpio archives in the "new" ASCII format (magic 070701), as Linux takes its initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Equal entries give equal bytes: every time stamp and
 * owner is zero. Knows no compression and no hard links.
 */

/** A file, directory, symbolic link or character device. Parents must come before what is in them. */
export type CpioEntry =
  | { readonly path: string; readonly kind: 'directory' }
  | { readonly path: string; readonly kind: 'file'; readonly bytes: Uint8Array; readonly executable: boolean }
  | { readonly path: string; readonly kind: 'link'; readonly target: string }
  | { readonly path: string; readonly kind: 'device'; readonly major: number; readonly minor: number };

const MAGIC = '070701';
const TRAILER = 'TRAILER!!!';
/** Header fields after the magic are 8 hexadecimal digits each. */
const HEADER_BYTES = 6 + 13 * 8;
const ALIGN = 4;
/** st_mode: file type and permissions. */
const MODE = { directory: 0o040755, file: 0o100644, executable: 0o100755, link: 0o120777, device: 0o020666 } as const;

/** The archive of the entries, in their order. Paths are relative to the root (`bin/sh`). */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const members = entries.map((entry, index) => member(entry.path, modeOf(entry), contentOf(entry), index + 1, entry));
  members.push(member(TRAILER, 0, new Uint8Array(), 0));
  return Buffer.concat(members);
}

function modeOf(entry: CpioEntry): number {
  return entry.kind === 'file' && entry.executable ? MODE.executable : MODE[entry.kind];
}

function contentOf(entry: CpioEntry): Uint8Array {
  if (entry.kind === 'file') return entry.bytes;
  return entry.kind === 'link' ? Buffer.from(entry.target) : new Uint8Array();
}

function member(path: string, mode: number, content: Uint8Array, inode: number, entry?: CpioEntry): Buffer {
  const name = Buffer.from(`${path}\0`);
  const device = entry?.kind === 'device' ? entry : { major: 0, minor: 0 };
  const links = entry?.kind === 'directory' ? 2 : 1;
  // inode, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor, rdevmajor, rdevminor, namesize, check
  const fields = [inode, mode, 0, 0, links, 0, content.length, 0, 0, device.major, device.minor, name.length, 0];
  const header = MAGIC + fields.map((field) => field.toString(16).padStart(8, '0')).join('');
  const contentAt = alignUp(HEADER_BYTES + name.length);
  const bytes = Buffer.alloc(alignUp(contentAt + content.length));
  bytes.write(header, 'ascii');
  name.copy(bytes, HEADER_BYTES);
  bytes.set(content, contentAt);
  return bytes;
}

const alignUp = (bytes: number) => Math.ceil(bytes / ALIGN) * ALIGN;
