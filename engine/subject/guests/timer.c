/*
 * The guest's own timer (Sstc: stimecmp): a periodic tick when asked for, and sleeping until a deadline.
 */
#include "guest.h"

volatile u64 guest_ticks;
static u64 period, next_tick = NEVER;
/** What sleep_until waits for; NEVER when it does not. */
static u64 deadline = NEVER;

static void arm(void) { csr_write(STIMECMP, next_tick < deadline ? next_tick : deadline); }

void timer_tick(u64 new_period) {
  u64 before = interrupts_off();
  period = new_period;
  next_tick = period == 0 ? NEVER : time_now() + period;
  arm();
  interrupts_restore(before);
}

u64 timer_next_tick(void) { return next_tick; }

void timer_interrupt(void) {
  u64 now = time_now();
  if (now >= next_tick) {
    guest_ticks++;
    next_tick = now + period;
  }
  if (now >= deadline) deadline = NEVER;
  arm();
}

void guest_wait_tick(void) {
  u64 before = guest_ticks;
  while (guest_ticks == before) wait_for_interrupt();
}

void sleep_until(u64 until) {
  u64 before = interrupts_off();
  while (time_now() < until) {
    deadline = until;
    arm();
    wait_for_interrupt(); /* wakes with interrupts off, too: nothing is missed between test and wait */
    interrupts_on();
    interrupts_off();
  }
  deadline = NEVER;
  arm();
  interrupts_restore(before);
}

void sleep_us(u64 us) { sleep_until(time_now() + us * TIME_PER_US); }
