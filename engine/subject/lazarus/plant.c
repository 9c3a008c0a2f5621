/*
 * Planted faults (`plant=` on the command line), to show detection and each fix-up's worth without an injector:
 * hang@N and panic@N in the N-th hypercall, holding the store's lock; timer@N in the N-th tick, before the next one is
 * programmed; irq@N in the N-th console interrupt, between claim and complete; sched@N in the N-th scheduling decision,
 * when the next vCPU has left its queue and is not yet current. Only in the first instance: the new one
 * starts counting from zero.
 */
#include "lazarus.h"

enum plant { PLANT_NONE, PLANT_HANG, PLANT_PANIC, PLANT_TIMER, PLANT_IRQ, PLANT_SCHED };
static enum plant plant;
static u64 left;

void plant_read(const char *bootargs) {
  static const struct {
    const char *name;
    enum plant plant;
  } names[] = {{"hang@", PLANT_HANG}, {"panic@", PLANT_PANIC}, {"timer@", PLANT_TIMER}, {"irq@", PLANT_IRQ}, {"sched@", PLANT_SCHED}};
  u64 bytes;
  const char *text = option_find(bootargs, "plant", &bytes);
  if (text == NULL || instance != 0) return;
  for (u64 n = 0; n < ARRAY_LENGTH(names); n++) {
    u64 name_bytes = string_length(names[n].name);
    if (bytes > name_bytes && memcmp(text, names[n].name, name_bytes) == 0 &&
        number_parse(text + name_bytes, bytes - name_bytes, &left) && left > 0)
      plant = names[n].plant;
  }
  if (plant == PLANT_NONE) {
    print("lazarus: plant= takes hang@N, panic@N, timer@N, irq@N or sched@N\n");
    system_shutdown(1);
  }
}

/** 1 at the N-th call for this kind of fault. */
static int due(enum plant a, enum plant b) {
  return plant != PLANT_NONE && (plant == a || plant == b) && __atomic_sub_fetch(&left, 1, __ATOMIC_RELAXED) == 0;
}

void plant_in_hypercall(void) {
  if (!due(PLANT_HANG, PLANT_PANIC)) return;
  if (!lock_held(store_lock(store))) lock_acquire(store_lock(store));
  if (plant == PLANT_PANIC) panic(PANIC_ASSERT, "planted panic");
  for (;;) __asm__ volatile("" ::: "memory");
}

void plant_in_timer(void) {
  if (due(PLANT_TIMER, PLANT_TIMER)) panic(PANIC_ASSERT, "planted panic in the timer tick");
}

void plant_in_irq(void) {
  if (due(PLANT_IRQ, PLANT_IRQ)) panic(PANIC_ASSERT, "planted panic between claim and complete");
}

void plant_in_sched(void) {
  if (due(PLANT_SCHED, PLANT_SCHED)) panic(PANIC_ASSERT, "planted panic between queue and current");
}
