/*
 * Memory management through the hypervisor: own frames given back, taken again, exchanged, moved to addresses above
 * RAM; copies through grants that the VM makes to itself. Content is random and known.
 */
#include "unixbench.h"

#define BLOCK_PAGES 4ul
#define WORDS (PAGE_BYTES / 8)
/** Above RAM: nothing is there but what we put there. */
#define GPA_HIGH 0x90000000ul

static u64 own_vmid;
static struct grant_copy copies[4];

void frames_init(u64 vmid) { own_vmid = vmid; }

static void fill(volatile u64 *page, u64 seed) {
  for (u64 at = 0; at < WORDS; at++) page[at] = seed + at * 0x10001;
}
static int holds(const volatile u64 *page, u64 seed) {
  u64 differences = 0;
  for (u64 at = 0; at < WORDS; at++) differences |= page[at] ^ (seed + at * 0x10001);
  return differences == 0;
}
static int is_zero(const volatile u64 *page) {
  u64 bits = 0;
  for (u64 at = 0; at < WORDS; at++) bits |= page[at];
  return bits == 0;
}

/** A page's frame goes and comes: exchanged (content stays), given back and populated anew (zeroed). */
static void own_frames(u64 seed) {
  volatile u64 *pages = pages_alloc(BLOCK_PAGES);
  if (pages == NULL) {
    failed("no pages");
    return;
  }
  for (u64 page = 0; page < BLOCK_PAGES; page++) fill(pages + page * WORDS, seed + page);
  for (u64 page = 0; page < BLOCK_PAGES; page++)
    expect(hypercall(CALL_MEMORY_EXCHANGE, pages + page * WORDS) == 0, "memory_exchange");
  for (u64 page = 0; page < BLOCK_PAGES; page++) expect(holds(pages + page * WORDS, seed + page), "an exchanged frame");
  expect(hypercall(CALL_MEMORY_DECREASE, pages + WORDS, 2) == 2, "memory_decrease");
  expect(hypercall(CALL_MEMORY_POPULATE, pages + WORDS, 2, 0) == 2, "memory_populate");
  expect(is_zero(pages + WORDS) && is_zero(pages + 2 * WORDS), "fresh frames");
  expect(holds(pages, seed) && holds(pages + 3 * WORDS, seed + 3), "their neighbours");
  page_free((void *)pages);
  for (u64 page = 1; page < BLOCK_PAGES; page++) page_free((void *)(pages + page * WORDS));
}

/** A frame less in RAM, a frame more above it; both stages map it. */
static void high_frame(u64 seed) {
  u64 *page = page_alloc();
  volatile u64 *high = (u64 *)GPA_HIGH;
  if (page == NULL) {
    failed("no page");
    return;
  }
  expect(hypercall(CALL_MEMORY_DECREASE, page, 1) == 1, "memory_decrease");
  expect(hypercall(CALL_MEMORY_POPULATE, GPA_HIGH, 1, 0) == 1, "memory_populate above RAM");
  if (map_range(GPA_HIGH, GPA_HIGH, PAGE_BYTES, PTE_READ | PTE_WRITE) != 0) failed("no page for a table");
  expect(is_zero(high), "a fresh frame above RAM");
  fill(high, seed);
  expect(hypercall(CALL_MEMORY_EXCHANGE, GPA_HIGH) == 0, "memory_exchange above RAM");
  expect(holds(high, seed), "an exchanged frame above RAM");
  unmap_range(GPA_HIGH, PAGE_BYTES);
  expect(hypercall(CALL_MEMORY_DECREASE, GPA_HIGH, 1) == 1, "memory_decrease above RAM");
  expect(hypercall(CALL_MEMORY_POPULATE, page, 1, 0) == 1, "memory_populate");
  expect(is_zero(page), "a fresh frame");
  page_free(page);
}

/** Copies through grants: into one, out of another, and into a read-only one, which is refused. */
static void self_copy(u64 *page, u64 *other, u64 seed) {
  u64 offset = seed % 64 * 8, bytes = 512 + seed % 128 * 8;
  i64 in = checked("grant", grant_allow(own_vmid, (u64)page, GRANT_PERMIT));
  i64 out = checked("grant", grant_allow(own_vmid, (u64)other, GRANT_PERMIT | GRANT_READONLY));
  if (in < 0 || out < 0) return;
  fill(page, 0);
  fill(other, seed);
  copies[0] = (struct grant_copy){{own_vmid, (u64)out, offset}, {0, gpa_of(page) + 8, 0}, bytes, -99};
  copies[1] = (struct grant_copy){{0, gpa_of(other) + 2048, 0}, {own_vmid, (u64)in, 2048}, bytes, -99};
  copies[2] = (struct grant_copy){{0, gpa_of(page), 0}, {own_vmid, (u64)out, 0}, bytes, -99};
  expect(hypercall(CALL_GRANT_COPY, gpa_of(copies), 2 + (u64)provokes) == 2, "grant_copy");
  expect(copies[0].result == 0 && memcmp((u8 *)page + 8, (u8 *)other + offset, bytes) == 0, "a copy from a grant");
  expect(copies[1].result == 0 && memcmp((u8 *)page + 2048, (u8 *)other + 2048, bytes) == 0, "a copy to a grant");
  expect((!provokes || copies[2].result < 0) && holds(other, seed), "a copy to a read-only grant");
  checked("end of a grant", grant_end((u64)in));
  checked("end of a grant", grant_end((u64)out));
}

void frames_round(void) {
  u64 *page = page_alloc(), *other = page_alloc();
  if (page == NULL || other == NULL) {
    failed("no pages");
    return;
  }
  own_frames(bench_next());
  high_frame(bench_next());
  for (u64 turn = 0; turn < 2; turn++) {
    u64 seed = bench_next();
    self_copy(page, other, seed >> 3);
    sum_up(page[seed % WORDS] ^ other[seed % WORDS]);
  }
  page_free(other);
  page_free(page);
}
