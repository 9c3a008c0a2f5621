/*
 * Lazarus's memory: structures in the heap, everything else in frames, and the G-stage tables that lend frames to
 * domains.
 */
#ifndef MEMORY_H
#define MEMORY_H
#include "types.h"

struct domain;
struct spinlock;

/* ---- heap.c: structures ---- */
enum block_type {
  BLOCK_FREE, BLOCK_DOMAIN, BLOCK_VCPU, BLOCK_GSTAGE, BLOCK_STORE, BLOCK_ENTRY, BLOCK_TYPES
};
/** In front of every block; walking the headers is all it takes to know the heap. */
struct block {
  u64 magic;
  /** Bytes including this header, and the type in the low 4 bits: one word, so that it changes at once. */
  u64 size_and_type;
  u64 owner_vmid;
  u64 pad;
};
void heap_init(u64 start, u64 end);
/** Takes over the blocks that lie in the heap; panics when a header is damaged. */
void heap_rebuild(u64 start, u64 end);
/** Puts right what can be put right of damaged headers (fix-up `lists`). */
void heap_repair(u64 start, u64 end);
/** VMID of the block that a payload belongs to. */
u64 heap_owner(const void *memory);
/** Zeroed memory aligned to `align` (a power of two), or NULL. */
void *heap_alloc(enum block_type type, u64 vmid, u64 bytes, u64 align);
void heap_free(void *memory);
/** The payload of the next block of `type` after `memory` (NULL: from the start), or NULL. */
void *heap_next(enum block_type type, const void *memory);
/** 1 when `memory` is the payload of a block of `type`. */
int heap_is(enum block_type type, const void *memory);
/** 1 when the word lies in some allocated block's payload. */
int heap_has_word(const u64 *word);
u64 heap_used(void);

/* ---- frame.c: the frame table, one record for each 4 KiB of RAM behind the heap ---- */
enum frame_type { FRAME_FREE, FRAME_RAM, FRAME_GSTAGE, FRAME_RESERVED };
struct frame {
  /** VMID of the domain that it belongs to; 0: none any more, or the hypervisor's. */
  u32 owner;
  u16 type;
  /** Validated: in use as its type. Goes with count > 0. */
  u16 valid;
  /** RAM: G-stage leaves that map it, its owner's and others'. GSTAGE: 1. */
  u32 count;
  /** Free list: number of the next free frame + 1. */
  u32 next;
};
void frames_init(u64 start, u64 end);
/** Where the table lies: a function of the board, so a new instance finds the same. */
void frames_attach(u64 start, u64 end);
/**
 * Number of frames that came free by the page-frame check: uses and free list are made anew from all G-stage tables.
 */
u64 frames_check(void);
/** A zeroed frame with one use, or 0. Physical address. */
u64 frame_alloc(enum frame_type type, u32 owner);
/** The same with whatever was in it, for a caller who overwrites all of it. */
u64 frame_take(enum frame_type type, u32 owner);
struct frame *frame_of(u64 spa);
void frame_use(u64 spa);
/** The last use frees it. */
void frame_unuse(u64 spa);
u64 frames_free(void);
/** Takes over the free list of the failed instance, whose static data lie `offset` bytes further. */
void frames_restore(u64 offset);
/** 1 when the word lies in a frame that is in use, or in the frame table. */
int frame_has_word(const u64 *word);
extern struct spinlock frames_lock;

/* ---- gstage.c: a domain's tables (Sv39x4, 4 KiB pages) ---- */
#define GSTAGE_READ 1
#define GSTAGE_WRITE 2
#define GSTAGE_DEVICE 4
/** A root for the domain; hgatp, or 0 without memory. */
u64 gstage_create(u32 vmid);
u64 gstage_hgatp(u32 vmid, const void *root);
/**
 * The leaf entry of a gpa, its tables made if `vcpu` is not NULL (undo goes to its log); NULL without memory or
 * outside.
 */
u64 *gstage_leaf(struct domain *domain, u64 gpa, int make);
/** Physical address behind gpa, or 0; `access` GSTAGE_*. */
u64 gstage_lookup(const struct domain *domain, u64 gpa, u64 access);
u64 gstage_entry(u64 spa, u64 access);
u64 gstage_entry_spa(u64 entry);
int gstage_entry_maps_ram(u64 entry);
/** Calls `visit` for each valid leaf; `table` for each table frame. Either may be NULL. */
void gstage_walk(const struct domain *domain, void (*visit)(u64 *entry, u64 gpa, void *), void (*table)(u64 spa, void *),
                 void *context);
/** Forgets translations of the domain on all harts that run it. */
void gstage_fence(const struct domain *domain);
/** Copy to or from guest-physical memory; 0 when a page of it is missing. */
int guest_read(const struct domain *domain, u64 gpa, void *to, u64 bytes);
int guest_write(const struct domain *domain, u64 gpa, const void *from, u64 bytes);
#endif
