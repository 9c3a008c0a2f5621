/*
 * The file system of fs.h. Keeps nothing in memory between calls (no cache, as in the papers' BlkBench): each call
 * reads the metadata that it needs from the disk and writes what it changed before it returns.
 */
#include "fs.h"

static union {
  struct fs_super data;
  u8 block[FS_BLOCK_BYTES];
} first __attribute__((aligned(4096)));
#define super_block first.data
static u64 bitmap[FS_BLOCK_BYTES / 8] __attribute__((aligned(4096)));
static struct fs_inode inodes[FS_INODES] __attribute__((aligned(4096)));

static int transfer_metadata(int write) {
  int result = disk_start(write, 0, &first) | disk_start(write, 1, bitmap);
  for (u64 n = 0; n < FS_INODE_BLOCKS; n++)
    result |= disk_start(write, 2 + n, (u8 *)inodes + n * FS_BLOCK_BYTES);
  return disk_finish() | result;
}

static int metadata_read(void) {
  if (transfer_metadata(0) != 0 || super_block.magic != FS_MAGIC || super_block.blocks > FS_MAX_BLOCKS) return -1;
  return 0;
}

static int is_taken(u64 block) { return bitmap[block / 64] >> block % 64 & 1; }
static void flip(u64 block) { bitmap[block / 64] ^= 1ul << block % 64; }

int fs_format(u64 blocks) {
  if (blocks > FS_MAX_BLOCKS) blocks = FS_MAX_BLOCKS;
  if (blocks <= FS_DATA_BLOCK) return -1;
  memset(bitmap, 0, sizeof(bitmap));
  memset(inodes, 0, sizeof(inodes));
  for (u64 block = 0; block < FS_DATA_BLOCK; block++) flip(block);
  super_block = (struct fs_super){FS_MAGIC, blocks, blocks - FS_DATA_BLOCK, 0};
  return transfer_metadata(1);
}

static struct fs_inode *find(const char *name) {
  for (u64 n = 0; n < FS_INODES; n++)
    if (inodes[n].name[0] != 0 && string_equal(inodes[n].name, name)) return &inodes[n];
  return NULL;
}

int fs_create(const char *name) {
  u64 bytes = string_length(name) + 1;
  if (bytes == 1 || bytes > FS_NAME_BYTES || metadata_read() != 0 || find(name) != NULL) return -1;
  for (u64 n = 0; n < FS_INODES; n++) {
    if (inodes[n].name[0] != 0) continue;
    memset(&inodes[n], 0, sizeof(inodes[n]));
    memcpy(inodes[n].name, name, bytes);
    super_block.files++;
    return transfer_metadata(1);
  }
  return -1;
}

int fs_remove(const char *name) {
  struct fs_inode *inode = metadata_read() != 0 ? NULL : find(name);
  if (inode == NULL) return -1;
  for (u64 e = 0; e < inode->extent_count; e++) {
    for (u64 n = 0; n < inode->extents[e].count; n++) flip(inode->extents[e].start + n);
    super_block.free_blocks += inode->extents[e].count;
  }
  super_block.files--;
  memset(inode, 0, sizeof(*inode));
  return transfer_metadata(1);
}

i64 fs_size(const char *name) {
  struct fs_inode *inode = metadata_read() != 0 ? NULL : find(name);
  return inode == NULL ? -1 : (i64)inode->bytes;
}

/** Lengthens the file by one block: its last extent where the next block is free, else a new one. */
static int grow(struct fs_inode *inode) {
  struct fs_extent *last = inode->extent_count == 0 ? NULL : &inode->extents[inode->extent_count - 1];
  u64 block = last == NULL ? 0 : last->start + last->count;
  if (last == NULL || block >= super_block.blocks || is_taken(block)) {
    for (block = FS_DATA_BLOCK; block < super_block.blocks && is_taken(block); block++)
      ;
    if (block == super_block.blocks || inode->extent_count == FS_EXTENTS) return -1;
    last = &inode->extents[inode->extent_count++];
    *last = (struct fs_extent){(u32)block, 0};
  }
  last->count++;
  flip(block);
  super_block.free_blocks--;
  inode->bytes += FS_BLOCK_BYTES;
  return 0;
}

/** The disk block of the file's block `at`; 0 behind its end. */
static u64 locate(const struct fs_inode *inode, u64 at) {
  for (u64 e = 0; e < inode->extent_count; e++) {
    if (at < inode->extents[e].count) return inode->extents[e].start + at;
    at -= inode->extents[e].count;
  }
  return 0;
}

static int transfer(int write, const struct fs_inode *inode, u64 at, u8 *data, u64 blocks) {
  int result = 0;
  for (u64 n = 0; n < blocks && result == 0; n++)
    result = disk_start(write, locate(inode, at + n), data + n * FS_BLOCK_BYTES);
  return disk_finish() | result;
}

int fs_write(const char *name, u64 at, const void *data, u64 blocks) {
  struct fs_inode *inode = metadata_read() != 0 ? NULL : find(name);
  if (inode == NULL || at > inode->bytes / FS_BLOCK_BYTES) return -1;
  int grown = 0;
  for (; inode->bytes / FS_BLOCK_BYTES < at + blocks; grown = 1)
    if (grow(inode) != 0) return -1;
  if (transfer(1, inode, at, (u8 *)data, blocks) != 0) return -1;
  return grown ? transfer_metadata(1) : 0; /* data first: no file ever shows what it does not own */
}

int fs_read(const char *name, u64 at, void *data, u64 blocks) {
  struct fs_inode *inode = metadata_read() != 0 ? NULL : find(name);
  if (inode == NULL || at + blocks > inode->bytes / FS_BLOCK_BYTES) return -1;
  return transfer(0, inode, at, data, blocks);
}

int fs_status(struct fs_super *super) {
  if (metadata_read() != 0) return -1;
  *super = super_block;
  return 0;
}

int fs_check(void) {
  if (metadata_read() != 0) return -1;
  u64 used = FS_DATA_BLOCK, files = 0;
  for (u64 block = 0; block < FS_DATA_BLOCK; block++) {
    if (!is_taken(block)) return -1;
    flip(block);
  }
  for (u64 n = 0; n < FS_INODES; n++) {
    const struct fs_inode *inode = &inodes[n];
    if (inode->name[0] == 0) continue;
    if (inode->extent_count > FS_EXTENTS) return -1;
    u64 blocks = 0;
    for (u64 e = 0; e < inode->extent_count; e++)
      for (u64 at = 0; at < inode->extents[e].count; at++, blocks++) {
        u64 block = inode->extents[e].start + at;
        if (block >= super_block.blocks || !is_taken(block)) return -1; /* not in the bitmap, or in two files */
        flip(block);
      }
    if (blocks * FS_BLOCK_BYTES != inode->bytes) return -1;
    used += blocks;
    files++;
  }
  for (u64 word = 0; word < ARRAY_LENGTH(bitmap); word++)
    if (bitmap[word] != 0) return -1; /* taken by nobody */
  return used + super_block.free_blocks == super_block.blocks && files == super_block.files ? 0 : -1;
}
