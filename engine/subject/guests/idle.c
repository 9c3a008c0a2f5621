/*
 * Guest `idle`: sleeps and ticks. A VM that only the timer and the scheduler keep alive.
 */
#include "guest.h"

#define TICK TIME_PER_MS

u64 guest_main(const char *arguments) {
  u64 ms = option_number(arguments, "idlems", 200) * option_number(arguments, "scale", 1);
  if (guest_failures != 0) return 1;
  u64 begin = time_now(), end = begin + ms * TIME_PER_MS, slept = 0;
  print_line("idle for %d ms", ms);
  timer_tick(TICK);
  while (time_now() < end) {
    guest_wait_tick();
    if (time_now() >= begin + (slept + 1) * 10 * TIME_PER_MS) hypercall(CALL_REPORT_PROGRESS, ++slept);
  }
  timer_tick(0);
  /* A tick may come late, never early, and two may have become one. */
  if (guest_ticks > ms + 1) failed("ticks came early");
  print_line("idle ok");
  return 0;
}
