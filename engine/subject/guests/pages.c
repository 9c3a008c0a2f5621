/*
 * The free pages of guest RAM: those behind the image, but for the command line's. A bit each.
 */
#include "guest.h"

#define MAX_PAGES 512ul
extern u8 image_end[];
static u64 used[MAX_PAGES / 64];

static u64 page_count(void) { return guest_ram_bytes / PAGE_BYTES; }
static int is_used(u64 page) { return used[page / 64] >> page % 64 & 1; }

void pages_init(const char *arguments) {
  u64 argument_page = ((u64)arguments - GPA_RAM) / PAGE_BYTES;
  u64 argument_end = ((u64)arguments - GPA_RAM + string_length(arguments)) / PAGE_BYTES;
  for (u64 page = 0; page < MAX_PAGES; page++) {
    u64 address = GPA_RAM + page * PAGE_BYTES;
    if (address < (u64)image_end || page >= page_count() || (page >= argument_page && page <= argument_end))
      used[page / 64] |= 1ul << page % 64;
  }
}

void *pages_alloc(u64 count) {
  for (u64 first = 0, run = 0, page = 0; page < page_count(); page++) {
    if (is_used(page)) {
      run = 0;
      continue;
    }
    if (run++ == 0) first = page;
    if (run < count) continue;
    for (u64 at = first; at < first + count; at++) used[at / 64] |= 1ul << at % 64;
    return memset((void *)(GPA_RAM + first * PAGE_BYTES), 0, count * PAGE_BYTES);
  }
  return NULL;
}

void *page_alloc(void) { return pages_alloc(1); }

void page_free(void *page) {
  u64 number = (gpa_of(page) - GPA_RAM) / PAGE_BYTES;
  if (number >= page_count() || !is_used(number)) {
    failed("page_free: not a page in use");
    return;
  }
  used[number / 64] &= ~(1ul << number % 64);
}

u64 pages_free_count(void) {
  u64 count = 0;
  for (u64 page = 0; page < page_count(); page++) count += !is_used(page);
  return count;
}
