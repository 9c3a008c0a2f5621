/*
 * What runs in VU-mode. Linked at one place and mapped at another: everything in here is relative to pc, and nothing
 * outside is called. Each program ends with a status that the kernel knows beforehand.
 */
#include "process.h"

#define CHUNK 8ul
#define PAGE_WORDS 512ul
/** Added to a status by what goes wrong, far above any right one. */
#define WRONG 1000000ul

static inline u64 syscall(u64 number, u64 p0, u64 p1, u64 p2) {
  register u64 a0 __asm__("a0") = p0;
  register u64 a1 __asm__("a1") = p1;
  register u64 a2 __asm__("a2") = p2;
  register u64 a7 __asm__("a7") = number;
  __asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
  return a0;
}

static inline u64 mix(u64 value) {
  value = (value ^ value >> 31) * 0x7fb5d329728ea185ul;
  return value ^ value >> 27;
}

static inline u64 filter(u64 word, u64 at) { return mix(word + at) ^ word << 7; }

u64 user_pipeline_sum(u64 seed, u64 words) {
  u64 sum = 0;
  for (u64 at = 0; at < words; at++) sum = mix(sum ^ filter(mix(seed + at), at));
  return sum >> 1;
}

static void produce(u64 pipe, u64 seed, u64 words) {
  u64 chunk[CHUNK];
  for (u64 at = 0; at < words; at += CHUNK) {
    for (u64 n = 0; n < CHUNK; n++) chunk[n] = mix(seed + at + n);
    syscall(SYS_WRITE, pipe, (u64)chunk, CHUNK);
  }
}

static void pass_on(u64 from, u64 to, u64 words) {
  u64 chunk[CHUNK];
  for (u64 at = 0; at < words; at += CHUNK) {
    syscall(SYS_READ, from, (u64)chunk, CHUNK);
    for (u64 n = 0; n < CHUNK; n++) chunk[n] = filter(chunk[n], at + n);
    syscall(SYS_WRITE, to, (u64)chunk, CHUNK);
  }
}

/** Producer, filter and consumer, a process each, with a pipe between. `words`: a multiple of CHUNK. */
static u64 pipeline(u64 seed, u64 words) {
  u64 first = syscall(SYS_PIPE, 0, 0, 0), second = syscall(SYS_PIPE, 0, 0, 0);
  if (syscall(SYS_FORK, 0, 0, 0) == 0) {
    produce(first, seed, words);
    syscall(SYS_EXIT, 1, 0, 0);
  }
  if (syscall(SYS_FORK, 0, 0, 0) == 0) {
    pass_on(first, second, words);
    syscall(SYS_EXIT, 1, 0, 0);
  }
  u64 chunk[CHUNK], sum = 0;
  for (u64 at = 0; at < words; at += CHUNK) {
    syscall(SYS_READ, second, (u64)chunk, CHUNK);
    for (u64 n = 0; n < CHUNK; n++) sum = mix(sum ^ chunk[n]);
  }
  u64 ended = syscall(SYS_WAIT, 0, 0, 0) + syscall(SYS_WAIT, 0, 0, 0);
  return ended == 2 ? sum >> 1 : WRONG;
}

static void fill(volatile u64 *page, u64 seed) {
  for (u64 at = 0; at < PAGE_WORDS; at++) page[at] = mix(seed + at);
}

static u64 differs(const volatile u64 *page, u64 seed) {
  u64 differences = 0;
  for (u64 at = 0; at < PAGE_WORDS; at++) differences += page[at] != mix(seed + at);
  return differences;
}

/**
 * A binary tree of processes: each inherits its parent's page, changes it, and finds its own intact in the end. The
 * status is the number of processes.
 */
static u64 tree(u64 seed, u64 depth) {
  volatile u64 *page = (u64 *)USER_DATA;
  u64 children = 0, status = 1;
  if (syscall(SYS_MAP, USER_DATA, 1, 0) != 0) return WRONG;
  fill(page, seed);
  while (depth > 0 && children < 2) {
    if (syscall(SYS_FORK, 0, 0, 0) != 0) {
      children++;
      continue;
    }
    if (differs(page, seed) != 0) return WRONG;
    depth--;
    seed = mix(seed + children);
    children = 0;
    fill(page, seed);
  }
  while (children-- > 0) status += syscall(SYS_WAIT, 0, 0, 0);
  return differs(page, seed) == 0 ? status : WRONG;
}

/** Maps, protects and unmaps `pages` pages; the status is the number of faults: each page's two. */
static u64 memory(u64 seed, u64 pages) {
  volatile u64 *words = (u64 *)USER_DATA;
  u64 wrong = syscall(SYS_MAP, USER_DATA, pages, 0);
  for (u64 page = 0; page < pages; page++) fill(words + page * PAGE_WORDS, seed + page);
  wrong += syscall(SYS_PROTECT, USER_DATA, pages, 0);
  u64 before = syscall(SYS_CATCH_FAULTS, 1, 0, 0);
  for (u64 page = 0; page < pages; page++) words[page * PAGE_WORDS + page] = 0; /* faults */
  wrong += syscall(SYS_PROTECT, USER_DATA, pages, 1);
  for (u64 page = 0; page < pages; page++) wrong += differs(words + page * PAGE_WORDS, seed + page);
  for (u64 page = 0; page < pages; page++) words[page * PAGE_WORDS] = page;
  for (u64 page = 0; page < pages; page++) wrong += words[page * PAGE_WORDS] != page;
  wrong += syscall(SYS_UNMAP, USER_DATA, pages, 0);
  for (u64 page = 0; page < pages; page++) (void)words[page * PAGE_WORDS]; /* faults */
  u64 faults = syscall(SYS_CATCH_FAULTS, 0, 0, 0) - before;
  wrong += syscall(SYS_MAP, USER_DATA, pages, 0);
  for (u64 at = 0; at < pages * PAGE_WORDS; at += 61) wrong += words[at] != 0;
  return faults + (wrong == 0 ? 0 : WRONG);
}

u64 user_spin(u64 seed, u64 rounds) {
  u64 a = seed, b = mix(seed), c = mix(b), d = mix(c), e = mix(d), f = mix(e), g = mix(f), h = mix(g), i = mix(h), j = mix(i);
  for (u64 n = 0; n < rounds; n++) {
    a += b ^ n, b = b << 3 | b >> 61, c ^= a, d += c, e = (e ^ d) * 5, f -= e, g ^= f << 1, h += g >> 3, i ^= h, j += i;
    b ^= j;
  }
  return mix((a ^ c ^ e ^ g ^ i) + b + d + f + h + j) >> 1;
}

/** The same, with registers that others have used in between. */
static u64 spin(u64 seed, u64 rounds) {
  syscall(SYS_YIELD, 0, 0, 0);
  u64 result = user_spin(seed, rounds);
  syscall(SYS_YIELD, 0, 0, 0);
  return result;
}

void user_main(u64 program, u64 seed, u64 size) {
  u64 status = WRONG;
  if (program == PROGRAM_PIPELINE) status = pipeline(seed, size);
  if (program == PROGRAM_TREE) status = tree(seed, size);
  if (program == PROGRAM_MEMORY) status = memory(seed, size);
  if (program == PROGRAM_SPIN) status = spin(seed, size);
  for (;;) syscall(SYS_EXIT, status, 0, 0);
}
