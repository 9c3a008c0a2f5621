/*
 * Grants to the PrivVM and back: pages that it stirs, several at a time, and frames that it transfers to us. The
 * outcome is known word by word.
 */
#include "unixbench.h"

#define PAGES 6ul
#define WORDS (PAGE_BYTES / 8)

/** Lends pages with known words; what comes back must be those words, stirred. */
static void stir_pages(u64 key) {
  u64 *pages = pages_alloc(PAGES);
  i64 refs[PAGES];
  if (pages == NULL) return failed("no pages");
  for (u64 at = 0; at < PAGES * WORDS; at++) pages[at] = key ^ at;
  for (u64 page = 0; page < PAGES; page++) {
    refs[page] = checked("grant", grant_allow(PRIVVM_VMID, (u64)(pages + page * WORDS), GRANT_PERMIT));
    expect(loop_start(PV_LOOP_STIR, (u64)refs[page], key + page * 1000) == 0, "loop_start");
  }
  expect(loop_finish() == 0, "pages stirred by the PrivVM");
  for (u64 page = 0; page < PAGES; page++) {
    checked("end of a grant", grant_end((u64)refs[page]));
    u64 differences = 0, *words = pages + page * WORDS;
    for (u64 at = 0; at < WORDS; at++)
      differences |= words[at] ^ pv_loop_word(key ^ (page * WORDS + at), key + page * 1000 + at);
    expect(differences == 0, "words stirred by the PrivVM");
    sum_up(words[key % WORDS]);
  }
  for (u64 page = 0; page < PAGES; page++) page_free(pages + page * WORDS);
}

/** Gives a frame back to the hypervisor, and accepts another one from the PrivVM in its place. */
static void accept_frame(u64 key) {
  u64 *page = page_alloc();
  if (page == NULL) return failed("no page");
  expect(hypercall(CALL_MEMORY_DECREASE, page, 1) == 1, "memory_decrease");
  i64 ref = checked("grant", grant_allow(PRIVVM_VMID, (u64)page, GRANT_ACCEPT));
  expect(loop_start(PV_LOOP_GIVE, (u64)ref, key) == 0, "loop_start");
  if (loop_finish() != 0) return failed("the PrivVM gives no frame"); /* there is nothing at the page now */
  expect((grant_flags((u64)ref) & GRANT_TRANSFERRED) != 0 && grant_gpa((u64)ref) == (u64)page, "a transferred frame");
  checked("end of a grant", grant_end((u64)ref));
  u64 differences = 0;
  for (u64 at = 0; at < WORDS; at++) differences |= page[at] ^ pv_loop_word(0, key + at);
  expect(differences == 0, "words of a transferred frame");
  page_free(page);
}

void loop_round(void) {
  stir_pages(bench_next());
  accept_frame(bench_next());
}
