/*
 * The heap: contiguous blocks, each behind a header, first fit. Every change of its shape is one 8-byte store to one
 * header, made last, so the headers describe a whole heap at every instruction; a new instance needs nothing else.
 *
 * A failure between an allocation and its use leaks that block. Does not check that callers stay inside blocks.
 */
#include "lazarus.h"

#define BLOCK_MAGIC 0x4b434f4c42ul /* "BLOCK" */
#define HEADER sizeof(struct block)
#define UNIT 32ul

static STATIC_LOCK(heap_lock, "heap");
static struct {
  u64 start, end;
} heap;

static u64 size_of(const struct block *block) { return block->size_and_type & ~15ul; }
static enum block_type type_of(const struct block *block) { return block->size_and_type & 15; }
static struct block *after(const struct block *block) { return (struct block *)((u64)block + size_of(block)); }
static void *payload(const struct block *block) { return (void *)((u64)block + HEADER); }
static struct block *header(const void *memory) { return (struct block *)((u64)memory - HEADER); }
static int is_inside(const struct block *block) { return (u64)block < heap.end; }

static void write_header(struct block *block, u64 size, enum block_type type, u64 vmid) {
  block->magic = BLOCK_MAGIC;
  block->owner_vmid = vmid;
  block->pad = 0;
  __atomic_store_n(&block->size_and_type, size | type, __ATOMIC_RELEASE); /* critical write: last */
}

void heap_init(u64 start, u64 end) {
  heap.start = ALIGN_UP(start, UNIT);
  heap.end = end & ~(UNIT - 1);
  ASSERT(heap.end > heap.start + HEADER);
  write_header((struct block *)heap.start, heap.end - heap.start, BLOCK_FREE, 0);
}

void heap_rebuild(u64 start, u64 end) {
  heap.start = ALIGN_UP(start, UNIT);
  heap.end = end & ~(UNIT - 1);
  struct block *block = (struct block *)heap.start;
  for (; is_inside(block); block = after(block)) {
    ASSERT(block->magic == BLOCK_MAGIC);
    ASSERT(size_of(block) >= HEADER && size_of(block) % UNIT == 0 && size_of(block) <= heap.end - (u64)block);
    ASSERT(type_of(block) < BLOCK_TYPES);
  }
  ASSERT((u64)block == heap.end);
}

static int is_header(const struct block *block, u64 end) {
  return block->magic == BLOCK_MAGIC && size_of(block) >= HEADER && size_of(block) % UNIT == 0 &&
         size_of(block) <= end - (u64)block && type_of(block) < BLOCK_TYPES;
}

/*
 * A damaged header is found by what should be true of it, and the block behind it by its own header, which comes next
 * in steps of UNIT: that gives the size again. The type is kept if it is one; a block that cannot be told stays
 * allocated.
 */
void heap_repair(u64 start, u64 end) {
  start = ALIGN_UP(start, UNIT);
  end &= ~(UNIT - 1);
  for (struct block *block = (struct block *)start; (u64)block < end; block = after(block)) {
    u64 next = (u64)after(block);
    if (is_header(block, end) && (next == end || is_header((const struct block *)next, end))) continue;
    for (next = (u64)block + HEADER; next < end && !is_header((const struct block *)next, end); next += UNIT)
      ;
    u64 type = type_of(block) < BLOCK_TYPES ? type_of(block) : BLOCK_ENTRY;
    write_header(block, next - (u64)block, type, block->owner_vmid);
  }
}

u64 heap_owner(const void *memory) { return header(memory)->owner_vmid; }

/** Joins a free block with the free blocks behind it. */
static void coalesce(struct block *block) {
  struct block *next = after(block);
  while (is_inside(next) && type_of(next) == BLOCK_FREE) next = after(next);
  block->size_and_type = ((u64)next - (u64)block) | BLOCK_FREE;
}

/** Cuts a free block so that a free one of `size` bytes remains in front; the rest becomes a free block of its own. */
static void split(struct block *block, u64 size) {
  u64 rest = size_of(block) - size;
  if (rest == 0) return;
  CHECK(headers, rest >= HEADER);
  write_header((struct block *)((u64)block + size), rest, BLOCK_FREE, 0); /* not reachable yet */
  __atomic_store_n(&block->size_and_type, size | BLOCK_FREE, __ATOMIC_RELEASE);
}

void *heap_alloc(enum block_type type, u64 vmid, u64 bytes, u64 align) {
  void *found = NULL;
  u64 size = ALIGN_UP(bytes, UNIT) + HEADER;
  lock_acquire(&heap_lock);
  for (struct block *block = (struct block *)heap.start; is_inside(block) && found == NULL; block = after(block)) {
    CHECK(headers, block->magic == BLOCK_MAGIC);
    if (type_of(block) != BLOCK_FREE) continue;
    coalesce(block);
    u64 memory = ALIGN_UP((u64)payload(block), align);
    u64 gap = memory - (u64)payload(block);
    if (gap + size > size_of(block)) continue;
    if (gap > 0) split(block, gap), block = after(block);
    split(block, size);
    memset(payload(block), 0, size - HEADER);
    write_header(block, size, type, vmid);
    found = payload(block);
  }
  lock_release(&heap_lock);
  return found;
}

void heap_free(void *memory) {
  lock_acquire(&heap_lock);
  struct block *block = header(memory);
  CHECK(headers, block->magic == BLOCK_MAGIC && type_of(block) != BLOCK_FREE);
  write_header(block, size_of(block), BLOCK_FREE, 0);
  lock_release(&heap_lock);
}

void *heap_next(enum block_type type, const void *memory) {
  struct block *block = memory == NULL ? (struct block *)heap.start : after(header(memory));
  for (; is_inside(block); block = after(block))
    if (type_of(block) == type) return payload(block);
  return NULL;
}

int heap_is(enum block_type type, const void *memory) {
  for (void *found = heap_next(type, NULL); found != NULL; found = heap_next(type, found))
    if (found == memory) return 1;
  return 0;
}

int heap_has_word(const u64 *word) {
  if (((u64)word & 7) != 0) return 0;
  for (struct block *block = (struct block *)heap.start; is_inside(block); block = after(block))
    if (type_of(block) != BLOCK_FREE && (u64)word >= (u64)payload(block) && (u64)word + 8 <= (u64)after(block)) return 1;
  return 0;
}

u64 heap_used(void) {
  u64 used = 0;
  for (struct block *block = (struct block *)heap.start; is_inside(block); block = after(block))
    if (type_of(block) != BLOCK_FREE) used += size_of(block);
  return used;
}
