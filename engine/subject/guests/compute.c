/*
 * Guest `compute`: works on 256 KiB of memory (xorshift, CRC-32, matrices), talks to the hypervisor all along, and
 * checks itself. What it prints depends on its VMID and `steps=` only, never on time.
 *
 * Self-check: the sum over the memory is also kept incrementally, every hypercall's answer is known beforehand, and
 * timer interrupts must have come.
 */
#include "guest.h"

#define WORDS 32768ul
#define WINDOW 8192ul
#define CRC_BYTES 8192ul
#define MATRIX 24
#define KEYS 8ul
#define COUNTER_KEY 100ul
#define DEFAULT_STEPS 24ul
#define TICK (100 * TIME_PER_US)

static u64 memory[WORDS];
static u32 crc_table[256];
static u64 a[MATRIX][MATRIX], b[MATRIX][MATRIX], product[MATRIX][MATRIX];

static u64 state;    /* of the generator */
static u64 expected; /* sum over memory, kept with each change */
static u64 counter;  /* what the store's counter must say */
static u64 wrong;    /* answers that were not as expected */

static u64 next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static void crc_init(void) {
  for (u32 n = 0; n < 256; n++) {
    u32 value = n;
    for (int bit = 0; bit < 8; bit++) value = (value & 1) != 0 ? value >> 1 ^ 0xedb88320 : value >> 1;
    crc_table[n] = value;
  }
}

static u32 crc32(const u8 *bytes, u64 count) {
  u32 crc = ~0u;
  for (u64 at = 0; at < count; at++) crc = crc >> 8 ^ crc_table[(u8)(crc ^ bytes[at])];
  return ~crc;
}

/** One hypercall of each kind whose answer is known. */
static void talk(u64 value) {
  u64 key = value % KEYS, n = 1 + value % 5;
  if (hypercall(CALL_STORE_PUT, key, value) != 0) wrong++;
  if ((u64)hypercall(CALL_STORE_GET, key) != value) wrong++;
  counter += n;
  if ((u64)hypercall(CALL_STORE_ADD, COUNTER_KEY, n) != counter) wrong++;
}

/** Stirs one window of the memory, through its second address. */
static void stir(u64 step) {
  u64 *window = ALIAS(memory) + step * WINDOW % WORDS;
  for (u64 at = 0; at < WINDOW; at++) {
    u64 old = window[at], changed = (old << 5 | old >> 59) ^ next();
    window[at] = changed;
    expected += changed - old;
    if (at % 1024 == 512) talk(changed);
  }
}

static u64 multiply(void) {
  u64 trace = 0;
  for (int row = 0; row < MATRIX; row++)
    for (int column = 0; column < MATRIX; column++) a[row][column] = next(), b[row][column] = next();
  for (int row = 0; row < MATRIX; row++)
    for (int column = 0; column < MATRIX; column++) {
      u64 sum = 0;
      for (int k = 0; k < MATRIX; k++) sum += a[row][k] * b[k][column];
      product[row][column] = sum;
    }
  for (int n = 0; n < MATRIX; n++) trace += product[n][n];
  return trace;
}

static u64 steps_read(const char *arguments) {
  u64 bytes, steps = DEFAULT_STEPS;
  const char *text = option_find(arguments, "steps", &bytes);
  if (text != NULL && (!number_parse(text, bytes, &steps) || steps == 0)) return 0;
  return steps;
}

u64 guest_main(const char *arguments) {
  u64 steps = steps_read(arguments);
  if (steps == 0) {
    print_line("steps= needs a number from 1");
    return 1;
  }
  state = 0x9e3779b97f4a7c15ul * (1 + (u64)hypercall(CALL_GET_VMID));
  crc_init();
  timer_tick(TICK);
  for (u64 step = 1; step <= steps; step++) {
    stir(step);
    u64 crc = crc32((const u8 *)(memory + step * WINDOW % WORDS), CRC_BYTES);
    u64 trace = multiply();
    print_line("step %d/%d crc %x trace %x", step, steps, crc, trace);
    hypercall(CALL_REPORT_PROGRESS, step);
    i64 key = hypercall(CALL_CONSOLE_READ);
    if (key >= 0) print_line("key %d", (u64)key);
    hypercall(CALL_YIELD);
  }
  u64 sum = 0;
  for (u64 at = 0; at < WORDS; at++) sum += memory[at];
  if (sum != expected) wrong++;
  guest_wait_tick();
  print_line("sum %x %s", sum, wrong == 0 ? "ok" : "WRONG");
  return wrong == 0 ? 0 : 1;
}
