/*
 * The recovery block's part of the kernel command line, read once at boot and kept in protected memory: what the
 * hypervisor does to the devicetree later decides nothing.
 */
#include "firmware.h"

struct options options = {
    .rehype = 1, .enhance = FIXUPS_ALL, .watchdog_period = 1000 * BOARD_TIME_PER_US, .max_recoveries = 3};

static int enhance_read(const char *list, u64 bytes);

static int number_option(const char *line, const char *name, u64 unit, u64 *value) {
  u64 bytes;
  const char *text = option_find(line, name, &bytes);
  if (text == NULL) return 1;
  if (!number_parse(text, bytes, value)) {
    console_print("firmware: %s= needs a number\n", name);
    return 0;
  }
  *value *= unit;
  return 1;
}

int options_read(const char *line) {
  u64 bytes;
  const char *text = option_find(line, "recovery", &bytes);
  if (text != NULL) {
    options.rehype = string_is(text, bytes, "rehype");
    if (!options.rehype && !string_is(text, bytes, "none")) {
      console_print("firmware: recovery= takes none or rehype\n");
      return 0;
    }
  }
  text = option_find(line, "enhance", &bytes);
  if (text != NULL && !enhance_read(text, bytes)) {
    console_print("firmware: enhance= takes all, none, or a list of locks,irq,timer,sched,retry; -name takes one away\n");
    return 0;
  }
  return number_option(line, "watchdog", BOARD_TIME_PER_US, &options.watchdog_period) &&
         number_option(line, "recoveries", 1, &options.max_recoveries);
}

#define FIXUP_NAME(name, bit) {#name, bit},
static const struct {
  const char *name;
  int bit;
} names[] = {FIXUPS(FIXUP_NAME)};

/** `all`, `none`, `a,b` (only these), `-a,-b` (all but these). */
static int enhance_read(const char *list, u64 bytes) {
  const char *end = list + bytes;
  u64 mask = bytes > 0 && list[0] == '-' ? FIXUPS_ALL : 0;
  while (list < end) {
    const char *word = list;
    while (list < end && *list != ',') list++;
    u64 word_bytes = (u64)(list - word), bits = 0;
    int remove = word_bytes > 0 && word[0] == '-';
    word += remove, word_bytes -= remove;
    if (string_is(word, word_bytes, "all")) bits = FIXUPS_ALL;
    for (u64 n = 0; n < ARRAY_LENGTH(names); n++)
      if (string_is(word, word_bytes, names[n].name)) bits = 1ul << names[n].bit;
    if (bits == 0 && !string_is(word, word_bytes, "none")) return 0;
    mask = remove ? mask & ~bits : mask | bits;
    list += list < end; /* the comma */
  }
  options.enhance = mask;
  return 1;
}
