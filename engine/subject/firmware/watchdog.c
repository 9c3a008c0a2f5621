/*
 * The watchdog: an M-mode timer interrupt per hart, which HS-mode can neither mask (mideleg does not pass it on) nor
 * move (PMP closes the ACLINT). Three periods without a heartbeat of this hart are a hang. A hart beats in its
 * timer tick, idle or not, so a hart that is stuck inside a VM because its tick was lost is found as well.
 */
#include "firmware.h"

#define ACLINT_MTIMECMP (BOARD_ACLINT + 0x4000)
#define ACLINT_MTIME (BOARD_ACLINT + 0xbff8)

/** Unmoved periods that make a hang. Before the first beat after a start more: booting takes longer than a tick. */
#define HANG_PERIODS 3
#define BOOT_PERIODS 100
#define REBOOT_PERIODS 4

u64 time_now(void) { return mmio_read64(ACLINT_MTIME); }

void timer_set(u64 deadline) { csr_write(STIMECMP, deadline); }

static void rearm(struct hart *hart, u64 deadline) { mmio_write64(ACLINT_MTIMECMP + 8 * hart->id, deadline); }

void watchdog_start(struct hart *hart) {
  if (!recovery_armed() || options.watchdog_period == 0) {
    watchdog_stop(hart);
    return;
  }
  hart->watch.last_beat = mmio_read64(recovery_heartbeat(hart->id));
  hart->watch.unmoved = 0;
  hart->watch.seen = 0;
  rearm(hart, time_now() + options.watchdog_period);
}

void watchdog_stop(struct hart *hart) { rearm(hart, ~0ul); }

void watchdog_tick(struct hart *hart) {
  u64 beat = mmio_read64(recovery_heartbeat(hart->id));
  rearm(hart, time_now() + options.watchdog_period);
  if (beat != hart->watch.last_beat) {
    hart->watch.last_beat = beat;
    hart->watch.unmoved = 0;
    hart->watch.seen = 1;
    return;
  }
  hart->watch.unmoved++;
  u64 starting = recovery_count() == 0 ? BOOT_PERIODS : REBOOT_PERIODS;
  if (hart->watch.unmoved < (hart->watch.seen ? HANG_PERIODS : starting)) return;
  recovery_run(hart, DETECTED_BY_WATCHDOG, 0, NULL, hart->pc);
}
