/*
 * Timers of each hart on its one comparator (Sstc's stimecmp): the tick, which drives preemption and the heartbeat that
 * the watchdog reads; accounting; and the deadline of a vCPU that waits.
 *
 * A recurring timer is off the queue while its handler runs, and the comparator is silent until the last handler is
 * done. A hart that fails in between has lost both (fix-ups `recurring` and `timer`).
 */
#include "lazarus.h"

#define TICK (250 * BOARD_TIME_PER_US)
#define ACCOUNT (1000 * BOARD_TIME_PER_US)

u64 heartbeats[BOARD_MAX_HARTS];

void timer_beat(void) { heartbeats[this_cpu()->id]++; }

u64 time_now(void) { return csr_read(TIME); }

void timer_program(const struct cpu *cpu) {
  u64 deadline = ~0ul;
  for (u64 n = 0; n < TIMERS; n++)
    if (cpu->timers[n].queued && cpu->timers[n].deadline < deadline) deadline = cpu->timers[n].deadline;
  csr_write(STIMECMP, deadline);
}

/** A recurring timer that is on the queue, with a deadline that it can have, keeps it. */
void timer_start(struct cpu *cpu) {
  static const u64 periods[TIMERS] = {[TIMER_TICK] = TICK, [TIMER_ACCOUNT] = ACCOUNT};
  u64 now = time_now();
  cpu->window_start = 0;
  for (u64 n = 0; n < TIMERS; n++) {
    struct timer *timer = &cpu->timers[n];
    if (periods[n] == 0 || (timer->queued == 1 && timer->period == periods[n] && timer->deadline <= now + periods[n])) continue;
    *timer = (struct timer){.deadline = now + periods[n], .period = periods[n], .queued = 1};
  }
}

void timer_set(struct cpu *cpu, enum timer_name name, u64 deadline) {
  struct timer *timer = &cpu->timers[name];
  if (timer->queued ? timer->deadline == deadline : deadline == ~0ul) return;
  *timer = (struct timer){.deadline = deadline, .queued = deadline != ~0ul};
  timer_program(cpu);
}

/**
 * A storm of ticks would keep the watchdog happy and every VM from running. One tick may be late, and the next is then
 * early.
 */
#define WINDOW_TICKS 8
/** As many ticks in a row that find a hart idle with work in its queue are a scheduler that does not see it. */
#define STARVED_TICKS 8
static void tick(struct cpu *cpu) {
  if (CHECKED(rates) && cpu->ticks % WINDOW_TICKS == 0) {
    u64 now = time_now();
    ASSERT(cpu->window_start == 0 || now - cpu->window_start >= WINDOW_TICKS / 2 * TICK);
    cpu->window_start = now;
  }
  cpu->interrupts = cpu->suspected = 0;
  heartbeats[cpu->id]++;
  cpu->ticks++;
  cpu->resched = 1;
  if (CHECKED(unseen)) {
    cpu->starved = cpu->current == NULL && sched_work_waits(cpu) ? cpu->starved + 1 : 0;
    ASSERT(cpu->starved < STARVED_TICKS);
  }
  plant_in_timer();
}

static void account(struct cpu *cpu) {
  if (cpu->current != NULL) cpu->current->charged++;
}

static void wake(struct cpu *cpu) { cpu->resched = 1; }

void timer_interrupt(struct cpu *cpu) {
  static void (*const handlers[TIMERS])(struct cpu *) = {
      [TIMER_TICK] = tick, [TIMER_ACCOUNT] = account, [TIMER_WAKE] = wake};
  cpu->irq_depth++;
  csr_write(STIMECMP, ~0ul);
  u64 now = time_now();
  for (u64 n = 0; n < TIMERS; n++) {
    struct timer *timer = &cpu->timers[n];
    if (!timer->queued || timer->deadline > now) continue;
    timer->queued = 0;
    timer->running = 1;
    handlers[n](cpu);
    if (timer->period != 0) {
      timer->deadline += timer->period;
      if (timer->deadline <= now) timer->deadline = now + timer->period;
      timer->queued = 1;
    }
    timer->running = 0;
  }
  timer_program(cpu);
  cpu->irq_depth--;
}
