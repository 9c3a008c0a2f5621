/*
 * A small file system on the PV disk: blocks of 4 KiB; block 0 the superblock, block 1 the bitmap (a bit per block),
 * then the inode table, then data. One flat directory: inodes carry their names. A file is a list of extents.
 */
#ifndef FS_H
#define FS_H

#include "types.h"

#define FS_MAGIC 0x31534659544e4954ul
#define FS_BLOCK_BYTES 4096ul
#define FS_INODES 64ul
#define FS_INODE_BLOCKS 2ul
#define FS_EXTENTS 8ul
#define FS_NAME_BYTES 24ul
#define FS_DATA_BLOCK (2 + FS_INODE_BLOCKS)
/** What the bitmap's one block can tell apart. */
#define FS_MAX_BLOCKS (FS_BLOCK_BYTES * 8)

struct fs_super {
  u64 magic, blocks, free_blocks, files;
};
struct fs_extent {
  u32 start, count;
};
/** Free when the name is empty. */
struct fs_inode {
  char name[FS_NAME_BYTES];
  u64 bytes;
  u64 extent_count;
  struct fs_extent extents[FS_EXTENTS];
  u64 pad[3];
};
_Static_assert(sizeof(struct fs_inode) * FS_INODES == FS_BLOCK_BYTES * FS_INODE_BLOCKS, "the table fills its blocks");

/* What fs.c asks of the disk: many transfers under way at once, all over after disk_finish. 0, or -1. */
int disk_start(int write, u64 block, void *page);
int disk_finish(void);

/*
 * All return -1 for what failed (no such file, disk full, disk error), after noting nothing: the caller knows the name.
 */
/** Makes an empty file system of `blocks` blocks. */
int fs_format(u64 blocks);
int fs_create(const char *name);
int fs_remove(const char *name);
/** The file's bytes. */
i64 fs_size(const char *name);
/**
 * Writes whole blocks from block `at` of the file on; the file grows, without holes. `data` is page-aligned guest RAM.
 */
int fs_write(const char *name, u64 at, const void *data, u64 blocks);
int fs_read(const char *name, u64 at, void *data, u64 blocks);
/** Reads all from the disk and compares: bitmap = union of extents, which do not overlap; counts. 0 when sound. */
int fs_check(void);
/** Free blocks, and files, as the superblock on disk says. */
int fs_status(struct fs_super *super);
#endif
