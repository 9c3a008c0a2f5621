/*
 * Requests between harts: a mailbox of bits per hart, and the ACLINT's software interrupt to look into it.
 *
 * M-mode runs with interrupts off, so a hart that waits for another must answer fences meanwhile (ipi_poll); FREEZE
 * is only ever taken at a trap, when the context to be frozen is complete.
 */
#include "firmware.h"

/* One fence at a time; acknowledgements are counted. */
static volatile u32 fence_busy, fence_acknowledged;

static void flush(void) {
  fence_i();
  sfence_vma();
  if ((csr_read(MISA) & MISA_H) != 0) {
    hfence_gvma();
    hfence_vvma();
  }
}

void ipi_send(u64 hart, u64 bits) {
  __atomic_fetch_or(&harts[hart].mailbox, bits, __ATOMIC_SEQ_CST);
  fence_io();
  mmio_write32(BOARD_ACLINT + 4 * hart, 1);
}

u64 harts_mask(void) { return (1ul << board.hart_count) - 1; }

void ipi_send_all(u64 mask) {
  for (u64 id = 0; id < board.hart_count; id++)
    if ((mask >> id & 1) != 0) ipi_send(id, IPI_SUPERVISOR);
}

u64 ipi_take(struct hart *hart) {
  mmio_write32(BOARD_ACLINT + 4 * hart->id, 0);
  fence_io();
  ipi_poll(hart);
  u64 bits = __atomic_exchange_n(&hart->mailbox, 0, __ATOMIC_SEQ_CST);
  if ((bits & IPI_FENCE) != 0) { /* sent since the poll */
    __atomic_fetch_or(&hart->mailbox, IPI_FENCE, __ATOMIC_SEQ_CST);
    ipi_poll(hart);
  }
  if ((bits & IPI_SUPERVISOR) != 0) csr_set(MIP, 1ul << IRQ_SSI);
  return bits & (IPI_FREEZE | IPI_START);
}

void ipi_poll(struct hart *hart) {
  if ((hart->mailbox & IPI_FENCE) == 0) return;
  __atomic_fetch_and(&hart->mailbox, ~(u64)IPI_FENCE, __ATOMIC_SEQ_CST);
  flush();
  __atomic_fetch_add(&fence_acknowledged, 1, __ATOMIC_SEQ_CST);
}

void ipi_fence(struct hart *self, u64 mask) {
  while (__atomic_exchange_n(&fence_busy, 1, __ATOMIC_ACQUIRE) != 0) ipi_poll(self);
  __atomic_store_n(&fence_acknowledged, 0, __ATOMIC_SEQ_CST);
  u32 sent = 0;
  for (u64 id = 0; id < board.hart_count; id++) {
    if ((mask >> id & 1) == 0 || id == self->id) continue;
    ipi_send(id, IPI_FENCE);
    sent++;
  }
  if ((mask >> self->id & 1) != 0) flush();
  while (__atomic_load_n(&fence_acknowledged, __ATOMIC_SEQ_CST) < sent) ipi_poll(self);
  __atomic_store_n(&fence_busy, 0, __ATOMIC_RELEASE);
}
