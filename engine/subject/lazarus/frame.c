/*
 * The frame table: owner, type and use count of each 4 KiB frame of RAM behind the heap, and the list of free ones. The
 * table lies at the start of the range that it describes.
 *
 * The table is derived state: which frame is mapped how often is written in the G-stage tables as well. So nothing of
 * it is logged for undo; the page-frame check (fix-up `frames`) makes it anew.
 */
#include "lazarus.h"

STATIC_LOCK(frames_lock, "frames");
static struct {
  struct frame *table;
  u64 base, count;
  /** Number of the first free frame + 1. */
  u32 first_free;
  u32 free;
} frames;

void frames_attach(u64 start, u64 end) {
  frames.table = (struct frame *)start;
  frames.base = start;
  frames.count = (end - start) / PAGE_BYTES;
}

void frames_restore(u64 offset) {
  frames.first_free = *(const u32 *)((u64)&frames.first_free + offset);
  frames.free = *(const u32 *)((u64)&frames.free + offset);
}

static void make_free(u64 number) {
  frames.table[number] = (struct frame){.type = FRAME_FREE, .next = frames.first_free};
  frames.first_free = (u32)number + 1;
  frames.free++;
}

struct frame *frame_of(u64 spa) {
  u64 number = (spa - frames.base) / PAGE_BYTES;
  return spa >= frames.base && number < frames.count ? &frames.table[number] : NULL;
}

u64 frame_take(enum frame_type type, u32 owner) {
  lock_acquire(&frames_lock);
  u64 number = frames.first_free;
  if (number != 0) {
    ASSERT(number <= frames.count);
    struct frame *frame = &frames.table[number - 1];
    ASSERT(frame->type == FRAME_FREE && frame->count == 0);
    frames.first_free = frame->next;
    frames.free--;
    *frame = (struct frame){.owner = owner, .type = (u16)type, .valid = 1, .count = 1};
  }
  lock_release(&frames_lock);
  return number == 0 ? 0 : frames.base + (number - 1) * PAGE_BYTES;
}

u64 frame_alloc(enum frame_type type, u32 owner) {
  u64 spa = frame_take(type, owner);
  if (spa == 0) return 0;
  memset((void *)spa, 0, PAGE_BYTES);
  return spa;
}

void frame_use(u64 spa) {
  struct frame *frame = frame_of(spa);
  lock_acquire(&frames_lock);
  ASSERT(frame != NULL && frame->valid && frame->count > 0);
  if (frame->type != FRAME_RESERVED) frame->count++;
  lock_release(&frames_lock);
}

void frame_unuse(u64 spa) {
  struct frame *frame = frame_of(spa);
  lock_acquire(&frames_lock);
  ASSERT(frame != NULL && frame->valid && frame->count > 0);
  if (frame->type != FRAME_RESERVED && --frame->count == 0) make_free((u64)(frame - frames.table));
  lock_release(&frames_lock);
}

u64 frames_free(void) { return frames.free; }

int frame_has_word(const u64 *word) {
  const struct frame *frame = frame_of((u64)word);
  if (((u64)word & 7) != 0 || frame == NULL) return 0;
  int in_table = (u64)word < (u64)(frames.table + frames.count);
  return in_table || frame->type == FRAME_RAM || frame->type == FRAME_GSTAGE;
}

/* While checking, `next` of each frame holds what has been found of it: uses, and FOUND_TABLE. */
#define FOUND_TABLE 0x80000000u
static void find_leaf(u64 *entry, u64 gpa, void *context) {
  (void)gpa, (void)context;
  if (gstage_entry_maps_ram(*entry)) frame_of(gstage_entry_spa(*entry))->next++;
}
static void find_table(u64 spa, void *context) {
  (void)context;
  frame_of(spa)->next |= FOUND_TABLE;
}

/** Numbers [first, end) of the frames that the initrd lies in. */
static void initrd_frames(u64 *first, u64 *end) {
  *first = *end = frames.count;
  if (board.initrd_start < frames.base || board.initrd_end <= board.initrd_start) return;
  *first = (board.initrd_start - frames.base) / PAGE_BYTES;
  *end = (ALIGN_UP(board.initrd_end, PAGE_BYTES) - frames.base) / PAGE_BYTES;
}

/**
 * Frames [first, end), from the last to the first: records agree with what was found, and free ones are linked. A
 * record is two words here, for this is the longest loop of a recovery.
 */
static u64 check_range(u64 first, u64 end) {
  u64 came_free = 0, head = frames.first_free, count = 0;
  for (u64 number = end; number-- > first;) {
    struct frame *frame = &frames.table[number];
    u32 found = frame->next;
    if ((number & 0x3fff) == 0) timer_beat(); /* 64 MiB further */
    if (found == 0) {
      u64 *words = (u64 *)frame;
      came_free += frame->type != FRAME_FREE;
      words[0] = 0; /* FRAME_FREE, no owner, not valid */
      words[1] = head << 32;
      head = number + 1;
      count++;
    } else {
      frame->type = found & FOUND_TABLE ? FRAME_GSTAGE : FRAME_RAM;
      frame->valid = 1;
      frame->count = found & FOUND_TABLE ? 1 : found;
      frame->next = 0;
    }
  }
  frames.first_free = (u32)head;
  frames.free += (u32)count;
  return came_free;
}

static void reserve(u64 first, u64 end) {
  for (u64 number = first; number < end; number++)
    frames.table[number] = (struct frame){.type = FRAME_RESERVED, .valid = 1, .count = 1};
}

/** All records by what was found of them; those of the table itself and of the initrd are never given away. */
static u64 check_all(void) {
  u64 first = ALIGN_UP(frames.count * sizeof(struct frame), PAGE_BYTES) / PAGE_BYTES, initrd, initrd_end;
  initrd_frames(&initrd, &initrd_end);
  frames.first_free = frames.free = 0;
  u64 came_free = check_range(initrd_end > first ? initrd_end : first, frames.count) + check_range(first, initrd);
  reserve(0, first);
  reserve(initrd, initrd_end);
  return came_free;
}

void frames_init(u64 start, u64 end) {
  frames_attach(start, end);
  memset(frames.table, 0, frames.count * sizeof(struct frame));
  check_all();
}

u64 frames_check(void) {
  for (struct frame *frame = frames.table, *end = frame + frames.count; frame < end; frame++) frame->next = 0;
  for (struct domain *domain = domain_list; domain != NULL; domain = domain->next)
    gstage_walk(domain, find_leaf, find_table, NULL);
  return check_all();
}
