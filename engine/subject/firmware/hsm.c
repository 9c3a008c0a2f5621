/*
 * Hart states (SBI 2.0, ch. 9). A STOPPED hart waits here, in M-mode, answering fences. STOPPED → START_PENDING is
 * made by the caller of start (compare-and-swap, so only one wins), START_PENDING → STARTED by the hart itself. At
 * power-on hart 0 declares all others STOPPED, whether they have come this far yet or not: their mailbox waits.
 */
#include "firmware.h"

void hsm_stop(struct hart *hart) {
  watchdog_stop(hart);
  hart->state = SBI_HSM_STOPPED;
  hsm_wait(hart);
}

void hsm_wait(struct hart *hart) {
  u64 bits = 0, enabled = csr_read(MIE);
  csr_write(MIE, 1ul << IRQ_MSI); /* a supervisor's interrupts must not end wfi: nobody would take them */
  while (((bits |= ipi_take(hart)) & IPI_START) == 0) {
    /* A request between the look and here leaves MSIP pending, and wfi falls through. */
    wait_for_interrupt();
  }
  csr_write(MIE, enabled);
  fence_i();
  /* Asked to freeze while being started: do so at the first instruction, with a context that is complete. */
  if ((bits & IPI_FREEZE) != 0 && !hart->frozen) ipi_send(hart->id, IPI_FREEZE);
  hart->frozen = 0;
  hart->state = SBI_HSM_STARTED;
  hsm_enter(hart, hart->start_address, hart->start_argument);
  watchdog_start(hart);
}

i64 hsm_start(u64 id, u64 address, u64 argument) {
  if (id >= board.hart_count) return SBI_ERR_INVALID_PARAM;
  if (!range_is_lent(address, 4)) return SBI_ERR_INVALID_ADDRESS;
  struct hart *hart = &harts[id];
  u64 expected = SBI_HSM_STOPPED;
  if (!__atomic_compare_exchange_n(&hart->state, &expected, SBI_HSM_START_PENDING, 0, __ATOMIC_SEQ_CST,
                                   __ATOMIC_SEQ_CST))
    return SBI_ERR_ALREADY_AVAILABLE;
  hart->start_address = address;
  hart->start_argument = argument;
  ipi_send(id, IPI_START);
  return SBI_OK;
}

/**
 * Waits until an interrupt that the supervisor has enabled is pending (9.4). A request to freeze, and the watchdog, end
 * the wait as well: both want to be taken as traps, and a supervisor must expect to be woken for nothing.
 */
static void sleep(struct hart *hart) {
  u64 bits = 0;
  hart->state = SBI_HSM_SUSPENDED;
  while ((bits & IPI_FREEZE) == 0 && (csr_read(MIP) & csr_read(MIE) & ~(1ul << IRQ_MSI)) == 0) {
    wait_for_interrupt();
    if ((csr_read(MIP) & 1ul << IRQ_MSI) != 0) bits |= ipi_take(hart);
  }
  hart->state = SBI_HSM_STARTED;
  if ((bits & IPI_FREEZE) != 0) ipi_send(hart->id, IPI_FREEZE);
}

i64 hsm_suspend(struct hart *hart) {
  u64 address = hart->x[11], argument = hart->x[12];
  switch ((u32)hart->x[10]) {
    case SBI_HSM_RETENTIVE: sleep(hart); return SBI_OK;
    case SBI_HSM_NON_RETENTIVE:
      if (!range_is_lent(address, 4)) return SBI_ERR_INVALID_ADDRESS;
      sleep(hart);
      hsm_enter(hart, address, argument);
      return HSM_RESUMED_ELSEWHERE;
    default: return SBI_ERR_INVALID_PARAM;
  }
}

void hsm_enter(struct hart *hart, u64 address, u64 argument) {
  csr_write(SATP, 0);
  memset(hart->x, 0, sizeof(hart->x));
  hart->mstatus = (csr_read(MSTATUS) & ~(STATUS_MPP | STATUS_MPV | STATUS_SIE)) | STATUS_MPP_S;
  hart->pc = address;
  hart->x[10] = hart->id;
  hart->x[11] = argument;
}
