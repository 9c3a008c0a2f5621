/*
 * Guest `blkbench`: files of random content on a small file system (fs.c) over the PV disk: created, copied, changed,
 * read, removed; as the papers' BlkBench, nothing is cached. Every file's golden content follows from its seed, so that
 * what comes back is compared word by word. What it prints depends on its VMID and the command line only.
 */
#include "front.h"
#include "fs.h"

#define DEFAULT_ROUNDS 6ul
#define ROUND_MS 30ul
#define MAX_BLOCKS 12ul
#define WORDS_PER_BLOCK (FS_BLOCK_BYTES / 8)
/** Rounds that a copy outlives, so that free space is in pieces. */
#define KEPT_ROUNDS 2ul

static u64 buffer[MAX_BLOCKS * WORDS_PER_BLOCK] __attribute__((aligned(PAGE_BYTES)));
static u64 disk_blocks, vmid, wrong;
static u64 sum;

/* fs.c's disk */
int disk_start(int write, u64 block, void *page) {
  if (block >= disk_blocks) return -1;
  return block_start(write ? PV_WRITE : PV_READ, block * BLOCK_SECTORS, BLOCK_SECTORS, page);
}
int disk_finish(void) { return block_finish(); }

static u64 next(u64 *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

static u64 hash(u64 so_far, u64 word) {
  u64 mixed = (so_far ^ word) * 0x9e3779b97f4a7c15ul;
  return mixed << 23 | mixed >> 41;
}

static u64 seed_of(u64 round, u64 part) { return (round * 8 + part + 1) * 0x9e3779b97f4a7c15ul ^ vmid << 56; }
static u64 blocks_of(u64 round) { return 4 + (seed_of(round, 0) >> 17) % (MAX_BLOCKS - 3); }

/** The golden content of a round's file, block by block; `changed` blocks in the middle come from another seed. */
static u64 golden_seed(u64 round, u64 block, u64 changed) {
  u64 first = blocks_of(round) / 2 - changed / 2;
  return seed_of(round, block >= first && block < first + changed ? 2 : 1) + block;
}

static void fill(u64 *words, u64 seed) {
  for (u64 at = 0; at < WORDS_PER_BLOCK; at++) words[at] = next(&seed);
}

/** Compares `blocks` blocks in the buffer with the golden content, and adds them to the sum. */
static int is_golden(u64 round, u64 blocks, u64 changed) {
  u64 differences = 0;
  for (u64 block = 0; block < blocks; block++) {
    u64 seed = golden_seed(round, block, changed);
    for (u64 at = 0; at < WORDS_PER_BLOCK; at++) {
      u64 word = buffer[block * WORDS_PER_BLOCK + at];
      differences += word != next(&seed);
      sum = hash(sum, word);
    }
  }
  if (differences != 0) wrong++;
  return differences == 0;
}

static void name_of(char *name, char kind, u64 round) {
  name[0] = kind;
  name[1] = '-';
  for (u64 digit = 0, scale = 1000; digit < 4; digit++, scale /= 10) name[2 + digit] = (char)('0' + round / scale % 10);
  name[6] = 0;
}

/** Prints the line of one phase; notes a failure. */
static int phase(u64 round, u64 rounds, const char *what, const char *name, int result) {
  if (result != 0) wrong++;
  print_line("round %d/%d %s %s %s", round, rounds, what, name, result == 0 ? "ok" : "FAILED");
  return result;
}

static int create(u64 round, const char *name) {
  u64 blocks = blocks_of(round);
  for (u64 block = 0; block < blocks; block++) fill(buffer + block * WORDS_PER_BLOCK, golden_seed(round, block, 0));
  return fs_create(name) | fs_write(name, 0, buffer, blocks);
}

static int copy(u64 round, const char *from, const char *to) {
  u64 blocks = blocks_of(round);
  if (fs_size(from) != (i64)(blocks * FS_BLOCK_BYTES) || fs_create(to) != 0) return -1;
  memset(buffer, 0, sizeof(buffer));
  if (fs_read(from, 0, buffer, blocks) != 0 || !is_golden(round, blocks, 0)) return -1;
  u64 half = blocks / 2; /* in two pieces: the second one lengthens the file */
  return fs_write(to, 0, buffer, half) | fs_write(to, half, buffer + half * WORDS_PER_BLOCK, blocks - half);
}

static int change(u64 round, const char *name, u64 changed) {
  u64 first = blocks_of(round) / 2 - changed / 2;
  for (u64 n = 0; n < changed; n++) fill(buffer + n * WORDS_PER_BLOCK, golden_seed(round, first + n, changed));
  return fs_write(name, first, buffer, changed);
}

static int verify(u64 round, const char *name, u64 changed) {
  u64 blocks = blocks_of(round);
  memset(buffer, 0, sizeof(buffer));
  if (fs_read(name, 0, buffer, blocks) != 0) return -1;
  return is_golden(round, blocks, changed) ? 0 : -1;
}

static void run_round(u64 round, u64 rounds) {
  char name[8], copied[8], old[8];
  u64 changed = 1 + round % 3;
  name_of(name, 'f', round);
  name_of(copied, 'c', round);
  phase(round, rounds, "create", name, create(round, name));
  phase(round, rounds, "copy", copied, copy(round, name, copied));
  phase(round, rounds, "write", copied, change(round, copied, changed));
  phase(round, rounds, "read", name, verify(round, name, 0));
  phase(round, rounds, "read", copied, verify(round, copied, changed));
  phase(round, rounds, "remove", name, fs_remove(name) | (fs_size(name) == -1 ? 0 : -1));
  if (round <= KEPT_ROUNDS) return;
  name_of(old, 'c', round - KEPT_ROUNDS);
  phase(round, rounds, "remove", old, verify(round - KEPT_ROUNDS, old, 1 + (round - KEPT_ROUNDS) % 3) | fs_remove(old));
}

/** What is left is removed; the file system must be sound, and as empty as at first. */
static void clean_up(u64 rounds) {
  struct fs_super super = {0};
  if (fs_check() != 0) wrong++, print_line("file system damaged");
  for (u64 round = rounds < KEPT_ROUNDS ? 1 : rounds - KEPT_ROUNDS + 1; round <= rounds; round++) {
    char name[8];
    name_of(name, 'c', round);
    if (fs_remove(name) != 0) wrong++, print_line("cannot remove %s", name);
  }
  if (fs_check() != 0 || fs_status(&super) != 0 || super.files != 0 || super.free_blocks != super.blocks - FS_DATA_BLOCK)
    wrong++, print_line("file system damaged at the end");
}

u64 guest_main(const char *arguments) {
  u64 rounds = option_number(arguments, "blkrounds", DEFAULT_ROUNDS) * option_number(arguments, "scale", 1);
  u64 begin = time_now();
  vmid = (u64)checked("get_vmid", hypercall(CALL_GET_VMID));
  if (guest_failures != 0 || block_connect() != 0) return 1;
  disk_blocks = block_disk_sectors() / BLOCK_SECTORS;
  if (fs_format(disk_blocks) != 0) {
    print_line("cannot make a file system on the disk");
    return 1;
  }
  for (u64 round = 1; round <= rounds; round++) {
    run_round(round, rounds);
    hypercall(CALL_REPORT_PROGRESS, round);
    if (round < rounds) sleep_until(begin + round * ROUND_MS * TIME_PER_MS);
  }
  clean_up(rounds);
  print_line("sum %x %s", sum, wrong == 0 && guest_failures == 0 ? "ok" : "WRONG");
  return wrong == 0 ? 0 : 1;
}
