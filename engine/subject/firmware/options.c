/*
 * The recovery block's part of the kernel command line, read once at boot and kept in protected memory: what the
 * hypervisor does to the devicetree later decides nothing.
 */
#include "firmware.h"

struct options options = {
    .recovery = RECOVERY_REHYPE, .enhance = FIXUPS_ALL, .checks = CHECKS_ALL,
    .watchdog_period = 1000 * BOARD_TIME_PER_US, .max_recoveries = 3};

/** Names and their bits, up to an entry without name. */
struct name {
  const char *name;
  int bit;
};
#define NAME(name, bit) {#name, bit},
static const struct name fixups[] = {FIXUPS(NAME){NULL, 0}}, checks[] = {CHECKS(NAME){NULL, 0}};

static int names_option(const char *line, const char *option, const struct name *names, u64 all, u64 *mask);

/** Longer ones are mistakes, and would not fit once they are in other units. */
#define NUMBER_MAX_BYTES 12ul

static int number_option(const char *line, const char *name, u64 unit, u64 *value) {
  u64 bytes;
  const char *text = option_find(line, name, &bytes);
  if (text == NULL) return 1;
  if (bytes > NUMBER_MAX_BYTES || !number_parse(text, bytes, value)) {
    console_print("firmware: %s= needs a number of at most %d digits\n", name, NUMBER_MAX_BYTES);
    return 0;
  }
  *value *= unit;
  return 1;
}

int options_read(const char *line) {
  u64 bytes;
  const char *text = option_find(line, "recovery", &bytes);
  if (text != NULL) {
    static const char *const names[] = {
        [RECOVERY_NONE] = "none", [RECOVERY_REHYPE] = "rehype", [RECOVERY_NILIHYPE] = "nilihype"};
    u64 n = 0;
    while (n < ARRAY_LENGTH(names) && !string_is(text, bytes, names[n])) n++;
    if (n == ARRAY_LENGTH(names)) {
      console_print("firmware: recovery= takes none, rehype or nilihype\n");
      return 0;
    }
    options.recovery = n;
  }
  return names_option(line, "enhance", fixups, FIXUPS_ALL, &options.enhance) &&
         names_option(line, "checks", checks, CHECKS_ALL, &options.checks) &&
         number_option(line, "watchdog", BOARD_TIME_PER_US, &options.watchdog_period) &&
         number_option(line, "recoveries", 1, &options.max_recoveries);
}

static u64 bits_named(const char *word, u64 bytes, const struct name *names, u64 all) {
  if (string_is(word, bytes, "all")) return all;
  for (; names->name != NULL; names++)
    if (string_is(word, bytes, names->name)) return 1ul << names->bit;
  return 0;
}

/** `all`, `none`, `a,b` (only these), `-a,-b` (all but these). */
static int names_read(const char *list, u64 bytes, const struct name *names, u64 all, u64 *mask) {
  const char *end = list + bytes;
  *mask = bytes > 0 && list[0] == '-' ? all : 0;
  while (list < end) {
    const char *word = list;
    while (list < end && *list != ',') list++;
    u64 word_bytes = (u64)(list - word);
    int remove = word_bytes > 0 && word[0] == '-';
    word += remove, word_bytes -= remove;
    u64 bits = bits_named(word, word_bytes, names, all);
    if (bits == 0 && !string_is(word, word_bytes, "none")) return 0;
    *mask = remove ? *mask & ~bits : *mask | bits;
    list += list < end; /* the comma */
  }
  return 1;
}

static int names_option(const char *line, const char *option, const struct name *names, u64 all, u64 *mask) {
  u64 bytes;
  const char *text = option_find(line, option, &bytes);
  if (text == NULL || names_read(text, bytes, names, all, mask)) return 1;
  console_print("firmware: %s= takes all, none, or a list of", option);
  for (; names->name != NULL; names++) console_print(" %s", names->name);
  console_print("; -name takes one away\n");
  return 0;
}

/*
 * Where a tool outside finds the two fields that say what a recovery does. They are read only when one begins, so that
 * a booted machine can be tried with every mechanism (dejavm inject).
 */
__attribute__((used)) static void publish(void) {
  __asm__ volatile(".globl layout.options.recovery\n.set layout.options.recovery, %0" : : "i"(offsetof(struct options, recovery)));
  __asm__ volatile(".globl layout.options.enhance\n.set layout.options.enhance, %0" : : "i"(offsetof(struct options, enhance)));
}
