/**
 * Writes a small FAT12 disk with files in its root directory, for software that lists disks (Microsoft's "FAT: General
 * Overview of On-Disk Format", version 1.03). No partition table, no long names, no time stamps.
 */

const SECTOR = 512;
const SECTORS = 2048;
const CLUSTER_SECTORS = 4;
const CLUSTER = CLUSTER_SECTORS * SECTOR;
const RESERVED_SECTORS = 1;
const FATS = 2;
const FAT_SECTORS = 2;
const ROOT_ENTRIES = 16;
const ENTRY_BYTES = 32;
const MEDIA_FIXED = 0xf8;
const ATTRIBUTE_ARCHIVE = 0x20;
const END_OF_CHAIN = 0xfff;
const FIRST_CLUSTER = 2;
const FAT_AT = RESERVED_SECTORS * SECTOR;
const ROOT_AT = FAT_AT + FATS * FAT_SECTORS * SECTOR;
const DATA_AT = ROOT_AT + ROOT_ENTRIES * ENTRY_BYTES;

export interface FatFile {
  /** Eight characters at most, a dot, and three: `HELLO.TXT`. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A disk of 1 MiB with the files, each in clusters that follow each other. */
export function fatDisk(label: string, files: readonly FatFile[]): Uint8Array {
  const disk = Buffer.alloc(SECTORS * SECTOR);
  writeBootSector(disk, label);
  const fat: number[] = [0xf00 | MEDIA_FIXED, END_OF_CHAIN];
  for (const [n, { name, bytes }] of files.entries()) {
    const first = fat.length;
    const clusters = Math.max(1, Math.ceil(bytes.length / CLUSTER));
    for (let k = 1; k < clusters; k++) fat.push(first + k);
    fat.push(END_OF_CHAIN);
    const entry = ROOT_AT + n * ENTRY_BYTES;
    const [base = '', extension = ''] = name.split('.');
    disk.write(base.padEnd(8) + extension.padEnd(3), entry, 'ascii');
    disk.writeUInt8(ATTRIBUTE_ARCHIVE, entry + 11);
    disk.writeUInt16LE(first, entry + 26);
    disk.writeUInt32LE(bytes.length, entry + 28);
    disk.set(bytes, DATA_AT + (first - FIRST_CLUSTER) * CLUSTER);
  }
  for (let copy = 0; copy < FATS; copy++) writeFat(disk, FAT_AT + copy * FAT_SECTORS * SECTOR, fat);
  return disk;
}

function writeBootSector(disk: Buffer, label: string): void {
  disk.set([0xeb, 0x3c, 0x90]);
  disk.write('DEJAVM  ', 3, 'ascii');
  disk.writeUInt16LE(SECTOR, 11);
  disk.writeUInt8(CLUSTER_SECTORS, 13);
  disk.writeUInt16LE(RESERVED_SECTORS, 14);
  disk.writeUInt8(FATS, 16);
  disk.writeUInt16LE(ROOT_ENTRIES, 17);
  disk.writeUInt16LE(SECTORS, 19);
  disk.writeUInt8(MEDIA_FIXED, 21);
  disk.writeUInt16LE(FAT_SECTORS, 22);
  // Extended boot signature: volume id, label and type follow.
  disk.set([0x80, 0, 0x29], 36);
  disk.write(label.padEnd(11), 43, 'ascii');
  disk.write('FAT12   ', 54, 'ascii');
  disk.set([0x55, 0xaa], 510);
}

/** Entries of twelve bits, two in three bytes. */
function writeFat(disk: Buffer, at: number, fat: readonly number[]): void {
  for (const [n, next] of fat.entries()) {
    const byte = at + Math.floor((n * 3) / 2);
    const shift = n % 2 === 0 ? 0 : 4;
    disk.writeUInt16LE(disk.readUInt16LE(byte) | (next << shift), byte);
  }
}
