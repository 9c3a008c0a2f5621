/*
 * The tick of each hart (Sstc's stimecmp), which drives preemption and the heartbeat that the watchdog reads.
 *
 * The tick is a recurring event: the handler silences the comparator first and programs the next deadline last. Between
 * the two, nothing is armed; a hart that fails there loses its tick (fix-up `timer`).
 */
#include "lazarus.h"

/** 250 us. */
#define TICK (250 * BOARD_TIME_PER_US)

u64 heartbeats[BOARD_MAX_HARTS];

u64 time_now(void) { return csr_read(TIME); }

void timer_arm(struct cpu *cpu) {
  u64 now = time_now();
  cpu->next_tick += TICK;
  if (cpu->next_tick <= now) cpu->next_tick = now + TICK;
  csr_write(STIMECMP, cpu->next_tick);
}

void timer_tick(struct cpu *cpu) {
  cpu->irq_depth++;
  csr_write(STIMECMP, ~0ul);
  heartbeats[cpu->id]++;
  cpu->ticks++;
  cpu->resched = 1;
  plant_in_timer();
  timer_arm(cpu);
  cpu->irq_depth--;
}
